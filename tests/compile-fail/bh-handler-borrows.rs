// SPDX-License-Identifier: GPL-2.0

//! A handler that borrows is not given to an owned work item.
// error: E0521

pub mod common;

use common::*;

pub struct Holder<'a>(&'a u32);

impl BhWorkHandler for Holder<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &BhWorkContext<'_>) {}
}

pub fn case(word: &u32) -> Result {
    // ok: BhWork::scope(BhQueue::Normal, Holder(word), (), |_| ())?;
    KBox::pin_init(BhWork::new(BhQueue::Normal, Holder(word), ()), GFP_KERNEL)?;
    Ok(())
}
