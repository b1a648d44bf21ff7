// SPDX-License-Identifier: GPL-2.0

//! A work item does not change its queue.
// error: E0061

pub mod common;

use common::*;

pub fn case(work: Pin<&mut BhWork<Nothing>>) {
    // ok: work.queue();
    work.queue(BhQueue::Highpri);
}
