// SPDX-License-Identifier: GPL-2.0

//! A tasklet whose handler must stay with its thread is not sent to another one.
// error: E0277

pub mod common;

use common::*;

use kernel::sync::lock::{spinlock::SpinLockBackend, Guard};

pub struct Holder<L>(L);

impl<L: Sync + 'static> TaskletHandler for Holder<L> {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {}
}

fn send<T: Send>(_: T) {}

// ok: pub fn case(tasklet: Pin<KBox<Tasklet<Holder<u32>>>>) {
pub fn case(tasklet: Pin<KBox<Tasklet<Holder<Guard<'static, u32, SpinLockBackend>>>>>) {
    send(tasklet);
}
