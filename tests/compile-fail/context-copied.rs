// SPDX-License-Identifier: GPL-2.0

//! The callback does not take a copy of its context.
// error: E0507

pub mod common;

use common::*;

pub struct Keeper;

impl TaskletHandler for Keeper {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &TaskletContext<'_>) {
        // ok: let copy = cx;
        let copy = *cx;
        copy.schedule();
    }
}
