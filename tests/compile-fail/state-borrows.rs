// SPDX-License-Identifier: GPL-2.0

//! A state that borrows is not given to a tasklet.
// error: E0207

pub mod common;

use common::*;

pub struct Borrower;

impl<'a> TaskletHandler for Borrower {
    // ok: type State = &'static u32;
    type State = &'a u32;

    fn run(self: Pin<&Self>, _state: &mut Self::State, _cx: &TaskletContext<'_>) {}
}
