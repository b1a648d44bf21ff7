// SPDX-License-Identifier: GPL-2.0

//! What the handler of a scope borrows is not changed meanwhile.

pub mod common;

use common::*;

pub struct Holder<'a>(&'a u32);

impl BhWorkHandler for Holder<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &BhWorkContext<'_>) {}
}

pub fn case() -> Result<u32> {
    let mut word = 1;
    BhWork::scope(BhQueue::Normal, Holder(&word), (), |_| drop(word))?;
    Ok(word)
}
