// SPDX-License-Identifier: GPL-2.0

//! The callback of a work item does not send its context to another thread.
// error: E0277

pub mod common;

use common::*;

pub struct Sender;

fn send<T: Send>(_: T) {}

impl BhWorkHandler for Sender {
    type State = ();

    fn run(self: Pin<&Self>, state: &mut (), cx: &BhWorkContext<'_>) {
        // ok: send(state);
        send((state, cx));
        cx.queue();
    }
}
