// SPDX-License-Identifier: GPL-2.0

//! Waiting. A thread that would poll sleeps instead: polling while nothing has changed leads
//! nowhere, but loom would explore every poll.

use loom::thread::{current, park, yield_now, Thread};
use std::{mem::take, rc::Rc, sync::Mutex};

/// Threads that wait for a change of the same thing.
///
/// To sleep orders the waker before the sleeper, which here is right: a wait queue and a CPU's own
/// program order do that, too.
pub struct Sleepers(Mutex<Vec<Thread>>);

impl Sleepers {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Returns after a [`wake`](Self::wake). No other thread gets its turn between what the caller
    /// did last and this, so no wake is missed; how wait queues ensure that is not modelled.
    pub fn sleep(&self) {
        self.0.lock().unwrap().push(current());
        park();
    }

    pub fn wake(&self) {
        let sleepers = take(&mut *self.0.lock().unwrap());
        for thread in sleepers {
            thread.unpark();
        }
    }
}

/// What a polling thread waits for, outside of loom.
type Worth = Rc<dyn Fn() -> bool>;

/// Threads that poll, and sleep meanwhile.
///
/// As with [`Sleepers`], a woken thread has seen what the waker did. A first check has not.
pub struct Watchers(Mutex<Vec<(Thread, Worth)>>);

impl Watchers {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Returns when another check may have a different result.
    pub fn sleep_until(&self, worth: Worth) {
        if worth() {
            // The check read an old value.
            yield_now();
            return;
        }
        self.0.lock().unwrap().push((current(), worth));
        park();
    }

    /// Wakes the threads for which a change makes a check worthwhile.
    pub fn wake(&self) {
        let mut watchers = self.0.lock().unwrap();
        let (woken, rest) = take(&mut *watchers)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, worth)| worth());
        *watchers = rest;
        for (thread, _) in woken {
            thread.unpark();
        }
    }
}

/// Lets others run at least once, and until `changed`. This orders nothing.
pub fn give_way_until(changed: impl Fn() -> bool) {
    loop {
        yield_now();
        if changed() {
            return;
        }
    }
}
