// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not dropped while a guard that did not wait lives.
// error: E0505

pub mod common;

use common::*;

pub fn case(tasklet: Pin<KBox<Tasklet<Nothing>>>) {
    let guard = tasklet.disable_nosync();
    // ok: no line
    drop(tasklet);
    guard.enable();
}
