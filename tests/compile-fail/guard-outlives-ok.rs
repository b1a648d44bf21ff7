// SPDX-License-Identifier: GPL-2.0

//! A guard does not outlive its tasklet.

pub mod common;

use common::*;

pub fn case(tasklet: &'static Tasklet<Nothing>) -> Disabled<'static, Nothing> {
    tasklet.disable()
}
