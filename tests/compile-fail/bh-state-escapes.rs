// SPDX-License-Identifier: GPL-2.0

//! The callback of a work item does not keep its state.
// error: lifetime may not live long enough

pub mod common;

use common::*;

pub struct Keeper;

impl BhWorkHandler for Keeper {
    type State = (u32, Option<&'static mut u32>);

    fn run(self: Pin<&Self>, state: &mut Self::State, _cx: &BhWorkContext<'_>) {
        // ok: state.1 = None;
        state.1 = Some(&mut state.0);
    }
}
