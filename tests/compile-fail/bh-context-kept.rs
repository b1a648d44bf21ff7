// SPDX-License-Identifier: GPL-2.0

//! The callback of a work item does not keep its context.
// error: lifetime may not live long enough

pub mod common;

use common::*;

pub struct Keeper;

impl BhWorkHandler for Keeper {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &BhWorkContext<'_>) {
        // ok: let kept: &BhWorkContext<'_> = cx;
        let kept: &'static BhWorkContext<'static> = cx;
        kept.queue();
    }
}
