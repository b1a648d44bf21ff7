// SPDX-License-Identifier: GPL-2.0

//! The state that a cancel returns is not kept past a queueing.
// error: E0502

pub mod common;

use common::*;

pub fn case(mut work: Pin<&mut BhWork<Nothing>>) {
    let state = work.as_mut().cancel();
    *state += 1;
    work.queue();
    // ok: no line
    *state += 1;
}
