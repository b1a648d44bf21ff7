// SPDX-License-Identifier: GPL-2.0

//! A tasklet is scheduled through the guard that lends its state, not directly.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.as_mut().disable_mut();
    // ok: guard.schedule();
    tasklet.schedule();
    guard.enable();
}
