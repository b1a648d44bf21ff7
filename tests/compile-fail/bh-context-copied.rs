// SPDX-License-Identifier: GPL-2.0

//! The callback of a work item does not take a copy of its context.
// error: E0507

pub mod common;

use common::*;

pub struct Keeper;

impl BhWorkHandler for Keeper {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &BhWorkContext<'_>) {
        // ok: let copy = cx;
        let copy = *cx;
        copy.queue();
    }
}
