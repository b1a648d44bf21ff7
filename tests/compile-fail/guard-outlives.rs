// SPDX-License-Identifier: GPL-2.0

//! A guard does not outlive its tasklet.
// error: E0515

pub mod common;

use common::*;

// ok: pub fn case(tasklet: &'static Tasklet<Nothing>) -> Disabled<'static, Nothing> {
pub fn case(tasklet: Pin<KBox<Tasklet<Nothing>>>) -> Disabled<'static, Nothing> {
    tasklet.disable()
}
