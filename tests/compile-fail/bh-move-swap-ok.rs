// SPDX-License-Identifier: GPL-2.0

//! Two work items are not swapped.

pub mod common;

use common::*;

pub fn case<'a>(mut a: Pin<&'a mut BhWork<Nothing>>, mut b: Pin<&'a mut BhWork<Nothing>>) {
    core::mem::swap(&mut a, &mut b);
}
