// SPDX-License-Identifier: GPL-2.0

//! `disable_mut` is not called through a shared reference.
// error: E0599

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    // ok: *tasklet.as_mut().disable_mut().state() += 1;
    *tasklet.as_ref().disable_mut().state() += 1;
}
