// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not dropped while the guard that lends its state lives.
// error: E0505

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<KBox<Tasklet<Nothing>>>) {
    let guard = tasklet.as_mut().disable_mut();
    // ok: no line
    drop(tasklet);
    guard.enable();
}
