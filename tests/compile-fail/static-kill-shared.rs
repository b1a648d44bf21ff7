// SPDX-License-Identifier: GPL-2.0

//! A static tasklet is not killed through a shared handle.
// error: E0596

pub mod common;

use common::*;

// ok: pub fn case(handle: &mut TaskletHandle<Nothing>) {
pub fn case(handle: &TaskletHandle<Nothing>) {
    handle.as_mut().kill();
}
