// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not made where it could be moved.
// error: E0277

pub mod common;

use common::*;

pub fn case() -> Result {
    let tasklet = KBox::init(Tasklet::new::<Error>(Nothing, 0), GFP_KERNEL)?;
    tasklet.schedule();
    Ok(())
}
