// SPDX-License-Identifier: GPL-2.0

//! A handler that borrows is not given to a static tasklet.
// error: E0477

pub mod common;

use common::*;

pub struct Holder<'a>(&'a u32);

impl TaskletHandler for Holder<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}

// ok: pub struct Owner(pub StaticTasklet<Holder<'static>>);
pub struct Owner<'a>(pub StaticTasklet<Holder<'a>>);
