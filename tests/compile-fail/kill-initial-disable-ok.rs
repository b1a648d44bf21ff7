// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while the guard of its initial disable lives.

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.initial_disable();
    drop(guard);
    tasklet.as_mut().kill();
}
