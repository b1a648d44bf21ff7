// SPDX-License-Identifier: GPL-2.0

//! The handler of a scope does not borrow its own item.
// error: E0521

pub mod common;

use common::*;

use kernel::sync::SetOnce;

pub struct Itself<'a>(SetOnce<&'a BhWork<Itself<'a>>>);

impl BhWorkHandler for Itself<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &BhWorkContext<'_>) {}
}

pub fn case() -> Result {
    BhWork::scope(BhQueue::Normal, Itself(SetOnce::new()), (), |this| {
        let this = this.into_ref();
        let itself = this.handler().get_ref();
        // ok: let _ = (&itself.0, this);
        itself.0.populate(this.get_ref());
    })
}
