// SPDX-License-Identifier: GPL-2.0

//! A constant is no static: its tasklet does not last.
// error: E0716

pub mod common;

use common::*;

// ok: static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);
const TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    let handle = TASKLET.take();
    drop(handle);
}
