// SPDX-License-Identifier: GPL-2.0

//! A handler that may borrow is not given to a work item.

pub mod common;

use common::*;

pub struct Holder<T>(T);

impl<T: Sync + 'static> BhWorkHandler for Holder<T> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &BhWorkContext<'_>) {}
}
