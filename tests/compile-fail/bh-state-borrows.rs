// SPDX-License-Identifier: GPL-2.0

//! A state that borrows is not given to an owned work item.
// error: E0521

pub mod common;

use common::*;

pub struct Filler<'a>(core::marker::PhantomData<&'a ()>);

impl<'a> BhWorkHandler for Filler<'a> {
    type State = &'a u32;

    fn run(self: Pin<&Self>, _state: &mut &'a u32, _cx: &BhWorkContext<'_>) {}
}

pub fn case<'a>(filler: Filler<'a>, word: &'a u32) -> Result {
    // ok: BhWork::scope(BhQueue::Normal, filler, word, |_| ())?;
    KBox::pin_init(BhWork::new(BhQueue::Normal, filler, word), GFP_KERNEL)?;
    Ok(())
}
