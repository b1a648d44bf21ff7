// SPDX-License-Identifier: GPL-2.0

//! The callback of a work item does not take its context along.

pub mod common;

use common::*;

pub struct Keeper;

impl BhWorkHandler for Keeper {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &BhWorkContext<'_>) {
        let kept: &BhWorkContext<'_> = cx;
        kept.queue();
    }
}
