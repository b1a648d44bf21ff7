// SPDX-License-Identifier: GPL-2.0

//! The handler of a scope does not borrow its own tasklet.
// error: E0521

pub mod common;

use common::*;

use kernel::sync::SetOnce;

pub struct Itself<'a>(SetOnce<&'a Tasklet<Itself<'a>>>);

impl TaskletHandler for Itself<'_> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}

pub fn case() -> Result {
    Tasklet::scope(Itself(SetOnce::new()), (), |this| {
        let this = this.into_ref();
        let itself = this.handler().get_ref();
        // ok: let _ = (&itself.0, this);
        itself.0.populate(this.get_ref());
    })
}
