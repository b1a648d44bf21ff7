// SPDX-License-Identifier: GPL-2.0

//! The callback does not kill its tasklet, which would wait for itself.
// error: E0599

pub mod common;

use common::*;

pub struct Killer;

impl TaskletHandler for Killer {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), cx: &TaskletContext<'_>) {
        // ok: cx.schedule();
        cx.kill();
    }
}
