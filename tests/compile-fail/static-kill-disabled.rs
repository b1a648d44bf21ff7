// SPDX-License-Identifier: GPL-2.0

//! A static tasklet is not killed while a guard lives.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut handle: TaskletHandle<Nothing>) {
    let guard = handle.disable();
    // ok: no line
    handle.as_mut().kill();
    guard.enable();
    handle.as_mut().kill();
}
