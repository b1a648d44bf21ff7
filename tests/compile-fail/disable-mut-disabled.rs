// SPDX-License-Identifier: GPL-2.0

//! `disable_mut` is not called while another guard lives.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable();
    // ok: no line
    *tasklet.as_mut().disable_mut().state() += 1;
    guard.enable();
    *tasklet.as_mut().disable_mut().state() += 1;
}
