// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while a guard lives.

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable();
    guard.enable();
    tasklet.as_mut().kill();
}
