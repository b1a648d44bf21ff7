// SPDX-License-Identifier: GPL-2.0

//! A tasklet that does not live as long as the module has no handle.
// error: E0521

pub mod common;

use common::*;

// ok: pub fn case(tasklet: &'static StaticTasklet<Nothing>) {
pub fn case(tasklet: &StaticTasklet<Nothing>) {
    let handle = tasklet.take();
    drop(handle);
}
