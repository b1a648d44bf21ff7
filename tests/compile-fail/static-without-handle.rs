// SPDX-License-Identifier: GPL-2.0

//! A static tasklet is not scheduled without its handle.
// error: E0599

pub mod common;

use common::*;

static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    // ok: TASKLET.take().unwrap().schedule();
    TASKLET.schedule();
}
