// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed while a guard that did not wait lives.

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable_nosync();
    guard.enable();
    tasklet.as_mut().kill();
}
