// SPDX-License-Identifier: GPL-2.0

//! A guard does not lend the state twice at the same time.
// error: E0499

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    let mut guard = tasklet.disable_mut();
    let state = guard.state();
    // ok: core::mem::swap(state, &mut 1);
    core::mem::swap(state, guard.state());
}
