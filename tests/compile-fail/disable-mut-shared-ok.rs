// SPDX-License-Identifier: GPL-2.0

//! A disable that lends the state is not had through a shared reference.

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<&mut Tasklet<Nothing>>) {
    *tasklet.as_mut().disable_mut().state() += 1;
}
