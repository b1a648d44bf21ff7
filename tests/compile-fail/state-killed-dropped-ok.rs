// SPDX-License-Identifier: GPL-2.0

//! The state that a kill gives back is not kept past the tasklet.

pub mod common;

use common::*;

pub fn case<'a>(mut tasklet: Pin<&'a mut Tasklet<Nothing>>) -> &'a mut u32 {
    tasklet.as_mut().kill()
}
