// SPDX-License-Identifier: GPL-2.0

//! Two tasklets are not swapped.
// error: E0596

pub mod common;

use common::*;

pub fn case<'a>(mut a: Pin<&'a mut Tasklet<Nothing>>, mut b: Pin<&'a mut Tasklet<Nothing>>) {
    // ok: core::mem::swap(&mut a, &mut b);
    core::mem::swap(&mut *a, &mut *b);
}
