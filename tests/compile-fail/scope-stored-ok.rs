// SPDX-License-Identifier: GPL-2.0

//! The tasklet of a scope is not stored outside of it.

pub mod common;

use common::*;

pub fn case() -> Result {
    let mut kept = None;
    Tasklet::scope(Nothing, 0, |tasklet| {
        tasklet.schedule();
        kept = Some(1);
    })?;
    drop(kept);
    Ok(())
}
