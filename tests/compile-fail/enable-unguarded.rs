// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not enabled without a guard.
// error: E0599

pub mod common;

use common::*;

pub fn case(tasklet: &Tasklet<Nothing>) {
    tasklet.schedule();
    // ok: no line
    tasklet.enable();
}
