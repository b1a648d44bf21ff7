// SPDX-License-Identifier: GPL-2.0

//! A constant is no static: its tasklet does not last.

pub mod common;

use common::*;

static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    let handle = TASKLET.take();
    drop(handle);
}
