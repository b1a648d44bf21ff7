// SPDX-License-Identifier: GPL-2.0

//! A tasklet in a constant has no handle: a constant is a temporary.
// error: E0716

pub mod common;

use common::*;

// ok: static TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);
const TASKLET: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);

pub fn case() {
    let handle = TASKLET.take();
    drop(handle);
}
