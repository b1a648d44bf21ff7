// SPDX-License-Identifier: GPL-2.0

//! A guard is not made without a disable.
// error: E0451

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    // ok: let guard = tasklet.disable();
    let guard = Disabled { tasklet };
    guard.enable();
}
