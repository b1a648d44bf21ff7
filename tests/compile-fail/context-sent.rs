// SPDX-License-Identifier: GPL-2.0

//! The callback does not send its context to another thread.
// error: E0277

pub mod common;

use common::*;

pub struct Sender;

fn send<T: Send>(_: T) {}

impl TaskletHandler for Sender {
    type State = ();

    fn run(self: Pin<&Self>, state: &mut (), cx: &TaskletContext<'_>) {
        // ok: send(state);
        send((state, cx));
        cx.schedule();
    }
}
