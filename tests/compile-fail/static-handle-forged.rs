// SPDX-License-Identifier: GPL-2.0

//! The handle of a static tasklet is not forged.
// error: E0451

pub mod common;

use common::*;

static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    // ok: let handle = TASKLET.take().unwrap();
    let handle = TaskletHandle { tasklet: &TASKLET };
    handle.schedule();
}
