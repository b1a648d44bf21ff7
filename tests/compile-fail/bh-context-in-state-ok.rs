// SPDX-License-Identifier: GPL-2.0

//! The state of a work item does not hold a context.

pub mod common;

use common::*;

pub struct Keeper;

impl BhWorkHandler for Keeper {
    type State = Option<u32>;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &BhWorkContext<'_>) {}
}
