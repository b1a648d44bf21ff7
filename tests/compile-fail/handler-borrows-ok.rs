// SPDX-License-Identifier: GPL-2.0

//! A handler that borrows is not given to a tasklet.

pub mod common;

use common::*;

pub struct Borrower<'a>(&'a u32);

impl TaskletHandler for Borrower<'static> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}
