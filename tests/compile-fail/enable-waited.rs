// SPDX-License-Identifier: GPL-2.0

//! A guard that a wait has turned into another guard is not released as well.
// error: E0382

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    let guard = tasklet.disable_nosync();
    guard.wait().enable();
    // ok: no line
    guard.enable();
}
