// SPDX-License-Identifier: GPL-2.0

//! The handle of a static tasklet is not dropped while a guard lives.
// error: E0505

pub mod common;

use common::*;

pub fn case(handle: TaskletHandle<Nothing>) {
    let guard = handle.disable();
    // ok: no line
    drop(handle);
    guard.enable();
}
