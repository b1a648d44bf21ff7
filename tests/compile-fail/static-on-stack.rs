// SPDX-License-Identifier: GPL-2.0

//! A static tasklet on the stack has no handle.
// error: E0597

pub mod common;

use common::*;

pub fn case() {
    let tasklet: StaticTasklet<Nothing> = StaticTasklet::new(Nothing, 0);
    let handle = tasklet.take();
    drop(handle);
}
