// SPDX-License-Identifier: GPL-2.0

//! A guard is not returned from the scope of its tasklet.

pub mod common;

use common::*;

pub fn case() -> Result {
    Tasklet::scope(Nothing, 0, |tasklet| {
        tasklet.schedule();
    })?;
    Ok(())
}
