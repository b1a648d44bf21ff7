// SPDX-License-Identifier: GPL-2.0

//! The tasklet of a scope is not stored outside of it.
// error: E0521

pub mod common;

use common::*;

pub fn case() -> Result {
    let mut kept = None;
    Tasklet::scope(Nothing, 0, |tasklet| {
        tasklet.schedule();
        // ok: kept = Some(1);
        kept = Some(tasklet);
    })?;
    drop(kept);
    Ok(())
}
