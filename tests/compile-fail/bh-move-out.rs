// SPDX-License-Identifier: GPL-2.0

//! A work item is not moved out of its pin.
// error: E0277

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    // ok: let work = work.as_ref();
    let work = work.get_mut();
    work.queue();
}
