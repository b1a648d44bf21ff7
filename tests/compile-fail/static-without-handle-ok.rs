// SPDX-License-Identifier: GPL-2.0

//! A static tasklet is not scheduled without its handle.

pub mod common;

use common::*;

static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    TASKLET.take().unwrap().schedule();
}
