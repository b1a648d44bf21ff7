// SPDX-License-Identifier: GPL-2.0

//! A guard is not returned from the scope of its tasklet.
// error: lifetime may not live long enough

pub mod common;

use common::*;

pub fn case() -> Result {
    Tasklet::scope(Nothing, 0, |tasklet| {
        tasklet.schedule();
        // ok: no line
        tasklet.into_ref().get_ref().disable()
    })?;
    Ok(())
}
