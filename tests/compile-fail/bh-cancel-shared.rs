// SPDX-License-Identifier: GPL-2.0

//! A work item is not cancelled through a shared reference.
// error: E0599

pub mod common;

use common::*;

// ok: pub fn case(work: Pin<&mut BhWork<Nothing>>) {
pub fn case(work: Pin<&BhWork<Nothing>>) {
    work.cancel();
}
