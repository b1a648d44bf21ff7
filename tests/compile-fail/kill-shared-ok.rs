// SPDX-License-Identifier: GPL-2.0

//! A tasklet that others may use is not killed.

pub mod common;

use common::*;

pub fn case(mut tasklet: Pin<KBox<Tasklet<Nothing>>>) {
    tasklet.as_mut().kill();
}
