// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while a guard that waited later lives.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable_nosync().wait();
    // ok: no line
    tasklet.as_mut().kill();
    guard.enable();
    tasklet.as_mut().kill();
}
