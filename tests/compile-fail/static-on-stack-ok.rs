// SPDX-License-Identifier: GPL-2.0

//! A static tasklet on the stack has no handle.

pub mod common;

use common::*;

pub fn case() {
    static tasklet: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);
    let handle = tasklet.take();
    drop(handle);
}
