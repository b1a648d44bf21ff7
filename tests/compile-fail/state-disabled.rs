// SPDX-License-Identifier: GPL-2.0

//! A guard that may not be the only one does not lend the state.
// error: E0599

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    // ok: let mut guard = tasklet.disable_mut();
    let mut guard = tasklet.disable();
    *guard.state() += 1;
}
