// SPDX-License-Identifier: GPL-2.0

//! The state that a kill gives back is not kept past the tasklet.
// error: E0515

pub mod common;

use common::*;

pub fn case<'a>(mut tasklet: Pin<KBox<Tasklet<Nothing>>>) -> &'a mut u32 {
    tasklet.as_mut().kill()
}
