// SPDX-License-Identifier: GPL-2.0

//! A work item is not cancelled through a reference that others may hold too.

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    work.cancel();
}
