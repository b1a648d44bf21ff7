// SPDX-License-Identifier: GPL-2.0

//! A handler that borrows is not given to an owned tasklet.
// error: E0521

pub mod common;

use common::*;

pub struct Holder<'a>(&'a u32);

impl TaskletHandler for Holder<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}

pub fn case(word: &u32) -> Result {
    // ok: Tasklet::scope(Holder(word), (), |_| ())?;
    KBox::pin_init(Tasklet::new(Holder(word), ()), GFP_KERNEL)?;
    Ok(())
}
