// SPDX-License-Identifier: GPL-2.0

//! A guard is not copied, to undo one disable twice.

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    let guard = tasklet.disable();
    guard.enable();
}
