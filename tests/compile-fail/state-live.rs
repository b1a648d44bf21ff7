// SPDX-License-Identifier: GPL-2.0

//! The state is not touched while the tasklet is live.
// error: E0616

pub mod common;

use common::*;

pub fn case(tasklet: Pin<&mut Tasklet<Nothing>>) {
    // ok: let state = tasklet.kill();
    let state = tasklet.state.get();
    let _ = state;
}
