// SPDX-License-Identifier: GPL-2.0

//! The tasklet of a scope is not returned from it.
// error: lifetime may not live long enough

pub mod common;

use common::*;

pub fn case() -> Result {
    Tasklet::scope(Nothing, 0, |tasklet| {
        tasklet.schedule();
        // ok: no line
        tasklet
    })?;
    Ok(())
}
