// SPDX-License-Identifier: GPL-2.0

//! The state of a work item does not hold a context.
// error: E0277

pub mod common;

use common::*;

pub struct Keeper;

impl BhWorkHandler for Keeper {
    // ok: type State = Option<u32>;
    type State = Option<BhWorkContext<'static>>;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &BhWorkContext<'_>) {}
}
