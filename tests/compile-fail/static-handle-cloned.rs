// SPDX-License-Identifier: GPL-2.0

//! The handle of a static tasklet is not copied.
// error: E0599

pub mod common;

use common::*;

pub fn case(handle: TaskletHandle<Nothing>) {
    // ok: no line
    handle.clone().schedule();
    handle.schedule();
}
