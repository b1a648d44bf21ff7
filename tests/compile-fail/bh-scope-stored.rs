// SPDX-License-Identifier: GPL-2.0

//! The work item of a scope is not stored outside of it.
// error: E0521

pub mod common;

use common::*;

pub fn case() -> Result {
    let mut kept = None;
    BhWork::scope(BhQueue::Normal, Nothing, 0, |work| {
        work.queue();
        // ok: kept = Some(1);
        kept = Some(work);
    })?;
    drop(kept);
    Ok(())
}
