// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while the guard of its initial disable lives.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.initial_disable();
    // ok: no line
    tasklet.as_mut().kill();
    drop(guard);
    tasklet.as_mut().kill();
}
