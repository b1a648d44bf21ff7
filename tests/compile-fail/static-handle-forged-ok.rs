// SPDX-License-Identifier: GPL-2.0

//! The handle of a static tasklet is not made by anybody else.

pub mod common;

use common::*;

static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    let handle = TASKLET.take().unwrap();
    handle.schedule();
}
