// SPDX-License-Identifier: GPL-2.0

//! A work item is not moved out of its pin.

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    let work = work.as_ref();
    work.queue();
}
