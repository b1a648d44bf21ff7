// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not killed through a shared reference.
// error: E0596

pub mod common;

use common::*;

// ok: pub fn case(tasklet: &mut Pin<KBox<Tasklet<Nothing>>>) {
pub fn case(tasklet: &Pin<KBox<Tasklet<Nothing>>>) {
    tasklet.as_mut().kill();
}
