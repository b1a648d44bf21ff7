// SPDX-License-Identifier: GPL-2.0

//! The callback does not take its context along.

pub mod common;

use common::*;

pub struct Keeper;

impl TaskletHandler for Keeper {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &TaskletContext<'_>) {
        let kept: &TaskletContext<'_> = cx;
        kept.schedule();
    }
}
