// SPDX-License-Identifier: GPL-2.0

//! A value that the handler of a scope borrows is not changed meanwhile.
// error: E0502

pub mod common;

use common::*;

pub struct Holder<'a>(&'a u32);

impl BhWorkHandler for Holder<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &BhWorkContext<'_>) {}
}

pub fn case() -> Result<u32> {
    let mut word = 1;
    // ok: BhWork::scope(BhQueue::Normal, Holder(&word), (), |_| drop(word))?;
    BhWork::scope(BhQueue::Normal, Holder(&word), (), |_| word = 2)?;
    Ok(word)
}
