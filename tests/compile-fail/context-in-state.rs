// SPDX-License-Identifier: GPL-2.0

//! A state does not hold a context.
// error: E0277

pub mod common;

use common::*;

pub struct Keeper;

impl TaskletHandler for Keeper {
    // ok: type State = Option<u32>;
    type State = Option<TaskletContext<'static>>;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &TaskletContext<'_>) {}
}
