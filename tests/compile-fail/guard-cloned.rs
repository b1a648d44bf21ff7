// SPDX-License-Identifier: GPL-2.0

//! A guard is not copied to undo a disable twice.
// error: E0599

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    let guard = tasklet.disable();
    // ok: no line
    guard.clone().enable();
    guard.enable();
}
