// SPDX-License-Identifier: GPL-2.0

//! The state that a guard lends is not kept past the enable.
// error: E0505

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    let mut guard = tasklet.disable_mut();
    let state = guard.state();
    *state += 1;
    guard.enable();
    // ok: no line
    *state += 1;
}
