// SPDX-License-Identifier: GPL-2.0

//! A disable that lends the state is not had while another guard lives.

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    let guard = tasklet.disable();
    guard.enable();
    *tasklet.as_mut().disable_mut().state() += 1;
}
