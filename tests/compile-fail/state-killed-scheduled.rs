// SPDX-License-Identifier: GPL-2.0

//! The state that a kill returns is not kept past a schedule.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let state = tasklet.as_mut().kill();
    *state += 1;
    tasklet.schedule();
    // ok: no line
    *state += 1;
}
