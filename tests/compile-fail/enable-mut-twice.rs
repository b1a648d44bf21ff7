// SPDX-License-Identifier: GPL-2.0

//! The guard that lends the state is not released twice.
// error: E0382

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable_mut();
    guard.enable();
    // ok: no line
    guard.enable();
}
