// SPDX-License-Identifier: GPL-2.0

//! A guard is not returned from the scope of its tasklet.

pub mod common;

use common::*;

pub fn case() -> Result {
    let kept = Tasklet::scope::<Error, _>(Nothing, 0, |tasklet| tasklet.into_ref().get_ref().schedule())?;
    drop(kept);
    Ok(())
}
