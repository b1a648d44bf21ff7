// SPDX-License-Identifier: GPL-2.0

//! A state that must stay with its thread is not given to a tasklet.
// error: E0277

pub mod common;

use common::*;

pub struct Pointer;

impl TaskletHandler for Pointer {
    // ok: type State = usize;
    type State = *mut u32;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &TaskletContext<'_>) {}
}
