// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not moved out of its pin.
// error: E0277

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    // ok: let tasklet = tasklet.as_ref();
    let tasklet = tasklet.get_mut();
    tasklet.schedule();
}
