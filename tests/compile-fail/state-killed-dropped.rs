// SPDX-License-Identifier: GPL-2.0

//! The state that a kill returns is not kept past the drop of the tasklet.
// error: E0505

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<KBox<Tasklet<Nothing>>>) {
    let state = tasklet.as_mut().kill();
    *state += 1;
    drop(tasklet);
    // ok: no line
    *state += 1;
}
