// SPDX-License-Identifier: GPL-2.0

//! A static tasklet is not killed through a handle that is shared.

pub mod common;

use common::*;

pub fn case(handle: &mut TaskletHandle<Nothing>) {
    handle.as_mut().kill();
}
