// SPDX-License-Identifier: GPL-2.0

//! The callback does not keep its context.
// error: lifetime may not live long enough

pub mod common;

use common::*;

pub struct Keeper;

impl TaskletHandler for Keeper {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &TaskletContext<'_>) {
        // ok: let kept: &TaskletContext<'_> = cx;
        let kept: &'static TaskletContext<'static> = cx;
        kept.schedule();
    }
}
