// SPDX-License-Identifier: GPL-2.0

//! The callback does not cancel its work item, which would wait for itself.
// error: E0599

pub mod common;

use common::*;

pub struct Canceller;

impl BhWorkHandler for Canceller {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &BhWorkContext<'_>) {
        // ok: cx.queue();
        cx.cancel();
    }
}
