// SPDX-License-Identifier: GPL-2.0

//! A guard is not released twice.
// error: E0382

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    let guard = tasklet.disable();
    guard.enable();
    // ok: no line
    guard.enable();
}
