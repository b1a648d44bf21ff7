// SPDX-License-Identifier: GPL-2.0

//! The callback does not leave its context in its state.

pub mod common;

use common::*;

pub struct Keeper;

impl TaskletHandler for Keeper {
    type State = Option<Disabled<'static, Nothing>>;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &TaskletContext<'_>) {}
}
