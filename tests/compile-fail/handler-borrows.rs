// SPDX-License-Identifier: GPL-2.0

//! A handler that borrows is not given to a tasklet.
// error: E0478

pub mod common;

use common::*;

pub struct Borrower<'a>(&'a u32);

impl<'a> TaskletHandler for Borrower<'a> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}
