// SPDX-License-Identifier: GPL-2.0

//! A guard is not made without a disable.

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    let guard = tasklet.disable();
    guard.enable();
}
