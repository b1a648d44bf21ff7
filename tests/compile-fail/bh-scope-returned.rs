// SPDX-License-Identifier: GPL-2.0

//! The work item of a scope is not returned from it.
// error: lifetime may not live long enough

pub mod common;

use common::*;

pub fn case() -> Result {
    BhWork::scope(BhQueue::Normal, Nothing, 0, |work| {
        work.queue();
        // ok: no line
        work
    })?;
    Ok(())
}
