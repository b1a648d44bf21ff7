// SPDX-License-Identifier: GPL-2.0

//! The state is not touched while the work item is live.
// error: E0616

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    // ok: let state = work.cancel();
    let state = work.state.get();
    let _ = state;
}
