// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not moved out of its pin.

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    let tasklet = tasklet.as_ref();
    tasklet.schedule();
}
