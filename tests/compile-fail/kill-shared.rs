// SPDX-License-Identifier: GPL-2.0

//! A tasklet that others may use is not killed.
// error: E0596

pub mod common;

use common::*;

pub fn case(tasklet: Arc<Tasklet<Nothing>>) {
    tasklet.as_mut().kill();
}
