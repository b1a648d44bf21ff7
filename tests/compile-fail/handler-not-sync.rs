// SPDX-License-Identifier: GPL-2.0

//! A handler that must not be shared is not given to a tasklet.
// error: E0277

pub mod common;

use common::*;

// ok: pub struct Counter(u32);
pub struct Counter(core::cell::Cell<u32>);

impl TaskletHandler for Counter {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}
