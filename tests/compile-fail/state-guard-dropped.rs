// SPDX-License-Identifier: GPL-2.0

//! The state that a guard lends is not kept past the drop of the guard.
// error: E0515

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) -> &mut u32 {
    // ok: tasklet.kill()
    tasklet.disable_mut().state()
}
