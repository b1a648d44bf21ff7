// SPDX-License-Identifier: GPL-2.0

//! A work item does not change its queue.

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    work.queue();
}
