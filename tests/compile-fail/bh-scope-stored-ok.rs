// SPDX-License-Identifier: GPL-2.0

//! The work item of a scope is not stored outside of it.

pub mod common;

use common::*;

pub fn case() -> Result {
    let mut kept = None;
    BhWork::scope(BhQueue::Normal, Nothing, 0, |work| {
        work.queue();
        kept = Some(1);
    })?;
    drop(kept);
    Ok(())
}
