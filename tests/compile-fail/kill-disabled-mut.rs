// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while the guard that lends its state lives.
// error: E0499

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let mut guard = tasklet.as_mut().disable_mut();
    // ok: no line
    tasklet.as_mut().kill();
    *guard.state() += 1;
    guard.enable();
    tasklet.as_mut().kill();
}
