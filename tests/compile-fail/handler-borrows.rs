// SPDX-License-Identifier: GPL-2.0

//! A handler that may borrow is not given to a tasklet.
// error: E0310

pub mod common;

use common::*;

pub struct Holder<T>(T);

// ok: impl<T: Sync + 'static> TaskletHandler for Holder<T> {
impl<T: Sync> TaskletHandler for Holder<T> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}
