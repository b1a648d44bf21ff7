// SPDX-License-Identifier: GPL-2.0

//! The callback does not leave its context in its state.
// error: E0277

pub mod common;

use common::*;

pub struct Keeper;

impl TaskletHandler for Keeper {
    type State = Option<TaskletContext<'static>>;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &TaskletContext<'_>) {}
}
