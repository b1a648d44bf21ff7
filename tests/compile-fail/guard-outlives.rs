// SPDX-License-Identifier: GPL-2.0

//! A guard does not outlive its tasklet.
// error: E0515

pub mod common;

use common::*;

pub fn case(tasklet: Pin<KBox<Tasklet<Nothing>>>) -> Disabled<'static, Nothing> {
    tasklet.disable()
}
