// SPDX-License-Identifier: GPL-2.0

//! The kernel's side: `struct tasklet_struct` and what works on it, step by step as in version
//! 7.2.12. Each function names the one that it follows.
//!
//! An ordering here is what the wrapper relies on, which may be less than what the kernel gives:
//! what passes with less also passes with more. The orderings that can be weakened are those with
//! a [`Site`]; a relaxed access without one is ordered in the kernel, but nobody relies on it.

use crate::{
    check::{ends, expect, is_wrong, Plain, Property, Site},
    wait::{give_way_until, Sleepers},
};
use loom::{
    sync::atomic::{
        fence, AtomicI32, AtomicUsize,
        Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    },
    thread::yield_now,
};
use std::sync::atomic as outside;

/// `TASKLET_STATE_SCHED`, as a mask.
const SCHED: usize = 1;
/// `TASKLET_STATE_RUN`, as a mask.
const RUN: usize = 2;

/// `tasklet_struct.state`.
struct State {
    bits: AtomicUsize,
    /// The newest value of `bits`, for those who want to know whether to sleep, outside of loom.
    newest: outside::AtomicUsize,
    sleepers: Sleepers,
}

impl State {
    fn new() -> Self {
        Self {
            bits: AtomicUsize::new(0),
            newest: outside::AtomicUsize::new(0),
            sleepers: Sleepers::new(),
        }
    }

    /// `test_and_set_bit()`, but for the ordering.
    fn test_and_set(&self, mask: usize, ordering: Ordering) -> bool {
        let was = self.bits.fetch_or(mask, ordering);
        self.newest.store(was | mask, outside::Ordering::Relaxed);
        was & mask != 0
    }

    /// `test_and_clear_bit()` and `wake_up_bit()`, but for the ordering.
    fn test_and_clear(&self, mask: usize, ordering: Ordering) -> bool {
        let was = self.bits.fetch_and(!mask, ordering);
        self.newest.store(was & !mask, outside::Ordering::Relaxed);
        self.sleepers.wake();
        was & mask != 0
    }

    /// Whether it is worth looking again.
    fn is_clear_by_now(&self, mask: usize) -> bool {
        self.newest.load(outside::Ordering::Relaxed) & mask == 0
    }

    /// `wait_on_bit()`. The first look may be at an old value, as may the one after sleeping.
    fn wait_on_bit(&self, mask: usize, ordering: Ordering) {
        while self.bits.load(ordering) & mask != 0 {
            if self.is_clear_by_now(mask) {
                yield_now();
            } else {
                self.sleepers.sleep();
            }
        }
    }
}

/// `tasklet_struct.count`.
struct Count {
    count: AtomicI32,
    /// As in [`State`].
    newest: outside::AtomicI32,
}

/// `struct tasklet_struct`, and that its memory is not freed.
pub struct TaskletStruct {
    state: State,
    count: Count,
    /// The link of the list that the tasklet is in. It belongs to whoever set the SCHED bit, until
    /// softirq code clears the bit.
    next: Plain<()>,
    allocated: Plain<bool>,
}

impl TaskletStruct {
    /// `tasklet_setup()`, or what `DECLARE_TASKLET_DISABLED` declares.
    pub fn new(count: i32) -> Self {
        Self {
            state: State::new(),
            count: Count {
                count: AtomicI32::new(count),
                newest: outside::AtomicI32::new(count),
            },
            next: Plain::new(Property::OneList, ()),
            allocated: Plain::new(Property::NotAfterFree, true),
        }
    }

    /// Stands before each access to the structure around the tasklet.
    pub fn touch(&self) {
        self.allocated
            .read(|&yes| expect(Property::NotAfterFree, yes, "the tasklet is freed"));
    }

    /// What `kfree()` does to it.
    pub fn free(&self) {
        self.allocated.write(|yes| *yes = false);
    }

    /// `tasklet_schedule()`, on this CPU. `test_and_set_bit()` is a full barrier, whether it finds
    /// the bit set or not.
    pub fn schedule(&self, cpu: &Cpu) {
        let ordering = if is_wrong(Site::ScheduleRelease) {
            Acquire
        } else if is_wrong(Site::ScheduleAcquire) {
            Release
        } else {
            AcqRel
        };

        self.touch();
        if !self.state.test_and_set(SCHED, ordering) {
            self.add(cpu);
        }
    }

    /// `__tasklet_schedule_common()`.
    fn add(&self, cpu: &Cpu) {
        self.touch();
        self.next.write(|()| ());
        cpu.raise();
    }

    /// `tasklet_trylock()`: a full barrier. Of that, the part that no acquire or release gives is
    /// relied on: the bit is set before the count is read.
    fn trylock(&self) -> bool {
        self.touch();
        if is_wrong(Site::StepRunBit) {
            fence(SeqCst);
            return true;
        }
        if is_wrong(Site::TrylockFull) {
            return !self.state.test_and_set(RUN, AcqRel);
        }
        let locked = !self.state.test_and_set(RUN, Relaxed);
        fence(SeqCst);
        locked
    }

    /// `tasklet_unlock()`, which is `clear_and_wake_up_bit()`, of which `clear_bit_unlock()` is the
    /// last to touch the tasklet: a release.
    fn unlock(&self) {
        let ordering = if is_wrong(Site::UnlockRelease) {
            Relaxed
        } else {
            Release
        };

        self.touch();
        self.state.test_and_clear(RUN, ordering);
    }

    /// `tasklet_unlock_wait()`, which is `wait_on_bit()`: `test_bit_acquire()` is what ends it.
    pub fn unlock_wait(&self) {
        let ordering = if is_wrong(Site::UnlockWaitAcquire) {
            Relaxed
        } else {
            Acquire
        };

        self.touch();
        self.state.wait_on_bit(RUN, ordering);
    }

    /// `tasklet_clear_sched()` as `tasklet_action_common()` calls it. `test_and_clear_bit()` is a
    /// full barrier: what comes before is ordered before what comes after, and it takes part in
    /// that itself. The former needs the fence here, as the count was read from another word.
    fn clear_sched(&self) {
        self.touch();
        if !is_wrong(Site::ClearSchedFull) {
            fence(Acquire);
        }
        let ordering = if is_wrong(Site::ClearSchedAcquire) {
            Relaxed
        } else {
            Acquire
        };
        let was = self.state.test_and_clear(SCHED, ordering);
        // The kernel would warn.
        expect(Property::OneList, was, "a listed tasklet is not scheduled");
    }

    /// `tasklet_disable_nosync()`: the increment and `smp_mb__after_atomic()`. The count is raised
    /// before whatever is next, here or on a CPU that this one talked to, reads the RUN bit.
    pub fn disable_nosync(&self) {
        self.touch();
        if is_wrong(Site::DisableFull) {
            self.add_to_count(1, AcqRel);
        } else {
            self.add_to_count(1, Relaxed);
            fence(SeqCst);
        }
    }

    /// `tasklet_disable()`. Nobody relies on the `smp_mb()` at its end: the wait is an acquire.
    pub fn disable(&self) {
        self.disable_nosync();
        if !is_wrong(Site::StepDisableWaits) {
            self.unlock_wait();
        }
    }

    /// `tasklet_enable()`: `smp_mb__before_atomic()`, of which the release is relied on, and the
    /// decrement.
    pub fn enable(&self) {
        self.touch();
        if !is_wrong(Site::EnableRelease) {
            fence(Release);
        }
        let was = self.add_to_count(-1, Relaxed);
        expect(
            Property::EnablesMatch,
            was > 0,
            "more enables than disables",
        );
    }

    /// `atomic_inc(&t->count)` and `atomic_dec(&t->count)`.
    fn add_to_count(&self, n: i32, ordering: Ordering) -> i32 {
        let was = self.count.count.fetch_add(n, ordering);
        self.count.newest.store(was + n, outside::Ordering::Relaxed);
        was
    }

    /// `atomic_read(&t->count)`.
    pub fn count(&self) -> i32 {
        self.touch();
        self.count.count.load(Relaxed)
    }

    /// `atomic_set(&t->count, count)`, or `atomic_set_release()`.
    pub fn set_count(&self, count: i32, ordering: Ordering) {
        self.touch();
        self.count.count.store(count, ordering);
        self.count.newest.store(count, outside::Ordering::Relaxed);
    }

    /// `tasklet_kill()`.
    pub fn kill(&self) {
        ends(Property::KillEnds, || {
            self.lock_sched();
            if !is_wrong(Site::StepKillWaits) {
                self.unlock_wait();
            }
        });

        // tasklet_clear_sched(): nobody relies on the barrier, as nobody may schedule before the
        // kill is over.
        if !is_wrong(Site::StepKillTakesSched) {
            self.touch();
            let was = self.state.test_and_clear(SCHED, Relaxed);
            expect(
                Property::OneList,
                was,
                "the SCHED bit was cleared in a kill",
            );
        }
    }

    /// `wait_on_bit_lock()`. Nobody relies on `test_and_set_bit()` being a full barrier here, as
    /// the wait for the RUN bit, which comes next, looks at the same word.
    fn lock_sched(&self) {
        self.touch();
        if is_wrong(Site::StepKillTakesSched) {
            return self.state.wait_on_bit(SCHED, Acquire);
        }
        while self.state.test_and_set(SCHED, Relaxed) {
            self.state.sleepers.sleep();
        }
    }
}

/// What softirq code knows of its CPU: its list, of which this tasklet may be the only entry.
pub struct Cpu {
    list: AtomicUsize,
    idle: Sleepers,
}

/// `Cpu::list`: the tasklet is in it, and the softirq is raised.
const LISTED: usize = 1;
/// `Cpu::list`: nobody schedules here any more but the softirq code itself.
const CLOSED: usize = 2;

/// After so many passes of softirq code in a row others get the CPU first, as with `ksoftirqd`.
const PASSES: usize = 2;

impl Cpu {
    pub fn new() -> Self {
        Self {
            list: AtomicUsize::new(0),
            idle: Sleepers::new(),
        }
    }

    /// What the kernel does with interrupts off on one CPU. That CPU does one thing after another,
    /// so what was done before the tasklet was listed is done when it is taken from the list.
    fn raise(&self) {
        let was = self.list.fetch_or(LISTED, Release);
        expect(Property::OneList, was & LISTED == 0, "it is listed twice");
        self.idle.wake();
    }

    /// Lets [`Cpu::softirqs`] return once there is nothing to do.
    pub fn close(&self) {
        self.list.fetch_or(CLOSED, Release);
        self.idle.wake();
    }

    /// The softirqs of this CPU: `tasklet_action()` whenever it is raised.
    pub fn softirqs(&self, t: &TaskletStruct, callback: &dyn Fn()) {
        let mut passes = 0;
        loop {
            let list = self.list.fetch_and(!LISTED, Acquire);
            if list & LISTED != 0 {
                self.action(t, callback);
                passes += 1;
                if passes % PASSES == 0 {
                    yield_now();
                }
            } else if list & CLOSED != 0 {
                return;
            } else {
                self.idle.sleep();
            }
        }
    }

    /// `tasklet_action_common()`, for one tasklet.
    fn action(&self, t: &TaskletStruct, callback: &dyn Fn()) {
        t.touch();
        t.next.read(|()| ());

        if t.trylock() {
            if t.count() == 0 {
                if is_wrong(Site::StepSchedClearedFirst) {
                    callback();
                    t.clear_sched();
                } else {
                    t.clear_sched();
                    callback();
                }
                t.unlock();
                return;
            }
            t.unlock();
            t.add(self);
            // The next pass would find the same. But it must find the SCHED bit alone.
            give_way_until(|| t.count.newest.load(outside::Ordering::Relaxed) == 0);
        } else {
            t.add(self);
            give_way_until(|| t.state.is_clear_by_now(RUN));
        }
    }
}
