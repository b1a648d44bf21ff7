// SPDX-License-Identifier: GPL-2.0

//! The handle of a static tasklet is not copied.

pub mod common;

use common::*;

pub fn case(handle: TaskletHandle<Nothing>) {
    handle.schedule();
}
