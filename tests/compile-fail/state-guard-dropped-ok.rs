// SPDX-License-Identifier: GPL-2.0

//! The state that a guard lends is not kept past the drop of the guard.

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) -> &mut u32 {
    tasklet.kill()
}
