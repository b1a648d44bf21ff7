// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while a guard lives.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable();
    // ok: no line
    tasklet.as_mut().kill();
    guard.enable();
    tasklet.as_mut().kill();
}
