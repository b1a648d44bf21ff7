// SPDX-License-Identifier: GPL-2.0

//! Two tasklets are not swapped.
// error: E0596

pub mod common;

use common::*;

pub fn case(mut a: Pin<&mut Tasklet<Nothing>>, mut b: Pin<&mut Tasklet<Nothing>>) {
    core::mem::swap(&mut *a, &mut *b);
}
