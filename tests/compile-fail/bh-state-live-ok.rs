// SPDX-License-Identifier: GPL-2.0

//! The state is not touched while the work item is live.

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    let state = work.cancel();
    let _ = state;
}
