// SPDX-License-Identifier: GPL-2.0

//! The kernel's side: `struct tasklet_struct` and its functions, step by step as in version 7.2.12.
//! Each function names the one that it follows.
//!
//! An ordering here is the one that the wrapper relies on, which may be weaker than the kernel's:
//! what passes with a weaker one also passes with a stronger one. Orderings with a [`Site`] can be
//! weakened; a relaxed access without one is ordered in the kernel, but nothing relies on that.

use crate::{
    check::{ends, expect, is_wrong, Plain, Property, Site},
    wait::{give_way_until, Sleepers, Watchers},
};
use loom::{
    sync::atomic::{
        fence, AtomicI32, AtomicUsize,
        Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    },
    thread::yield_now,
};
use std::{
    cell::{Cell, RefCell},
    mem::take,
    rc::{Rc, Weak},
    sync::atomic as outside,
};

/// `TASKLET_STATE_SCHED`, as a mask.
const SCHED: usize = 1;
/// `TASKLET_STATE_RUN`, as a mask.
const RUN: usize = 2;

/// `tasklet_struct.state`.
struct State {
    bits: AtomicUsize,
    /// The newest value of `bits`, outside of loom, to decide whether to sleep.
    newest: outside::AtomicUsize,
    sleepers: Sleepers,
    watchers: Rc<Watchers>,
    /// The CPU of the process that waits, if it is the one that runs the tasklet.
    waiter_is_on: RefCell<Option<Rc<Cpu>>>,
}

impl State {
    fn new(watchers: &Rc<Watchers>) -> Self {
        Self {
            bits: AtomicUsize::new(0),
            newest: outside::AtomicUsize::new(0),
            sleepers: Sleepers::new(),
            watchers: watchers.clone(),
            waiter_is_on: RefCell::new(None),
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
        self.watchers.wake();
        was & mask != 0
    }

    /// Whether another check can have a different result.
    fn is_clear_by_now(&self, mask: usize) -> bool {
        self.newest.load(outside::Ordering::Relaxed) & mask == 0
    }

    /// `wait_on_bit()`. The first look may be at an old value, as may the one after sleeping.
    fn wait_on_bit(&self, mask: usize, ordering: Ordering) {
        while self.bits.load(ordering) & mask != 0 {
            if self.is_clear_by_now(mask) {
                yield_now();
            } else if !self.interrupt() {
                self.sleepers.sleep();
            }
        }
    }

    /// Runs softirqs if the process that is about to sleep is on the CPU that has them.
    fn interrupt(&self) -> bool {
        let cpu = self.waiter_is_on.borrow().clone();
        cpu.is_some_and(|cpu| cpu.interrupt())
    }
}

/// `tasklet_struct.count`.
struct Count {
    count: AtomicI32,
    /// As in [`State`].
    newest: outside::AtomicI32,
}

/// What a `struct tasklet_struct` is a part of.
pub trait Around {
    /// The tasklet itself.
    fn tasklet(&self) -> &TaskletStruct;

    /// `tasklet_struct.callback`, called on `cpu`.
    fn callback(&self, cpu: &Cpu);
}

/// Why softirq code put a tasklet back into the list that it took it from.
#[derive(Clone, Copy, PartialEq)]
enum PutBack {
    No,
    Disabled,
    Running,
}

/// `struct tasklet_struct`, and that its memory is not freed.
pub struct TaskletStruct {
    around: Weak<dyn Around>,
    state: State,
    count: Count,
    /// The link of the list that the tasklet is in. It belongs to the thread that set the SCHED
    /// bit, until softirq code clears the bit.
    next: Plain<()>,
    allocated: Plain<bool>,
    /// Whether a list holds it, and why it is there again, outside of loom.
    listed: Cell<bool>,
    put_back: Cell<PutBack>,
}

impl TaskletStruct {
    /// `tasklet_setup()`, or what `DECLARE_TASKLET_DISABLED` declares.
    pub fn new(around: Weak<dyn Around>, count: i32, watchers: &Rc<Watchers>) -> Self {
        Self {
            around,
            state: State::new(watchers),
            count: Count {
                count: AtomicI32::new(count),
                newest: outside::AtomicI32::new(count),
            },
            next: Plain::new(Property::OneList, ()),
            allocated: Plain::new(Property::NotAfterFree, true),
            listed: Cell::new(false),
            put_back: Cell::new(PutBack::No),
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

    /// `test_and_set_bit(TASKLET_STATE_SCHED, &t->state)`. Nothing relies on it being a full
    /// barrier.
    pub fn test_and_set_sched(&self) -> bool {
        self.touch();
        self.state.test_and_set(SCHED, Relaxed)
    }

    /// `clear_bit(TASKLET_STATE_SCHED, &t->state)`, which only a defect does.
    pub fn clear_sched_bit(&self) {
        self.touch();
        self.state.test_and_clear(SCHED, Release);
    }

    /// `test_bit_acquire(TASKLET_STATE_RUN, &t->state)`, but for the ordering.
    pub fn is_running(&self, ordering: Ordering) -> bool {
        self.touch();
        self.state.bits.load(ordering) & RUN != 0
    }

    /// Makes softirqs of `cpu` run in the one thread that waits for this tasklet, whenever it
    /// waits.
    pub fn wait_on(&self, cpu: &Rc<Cpu>) {
        *self.state.waiter_is_on.borrow_mut() = Some(cpu.clone());
    }

    /// A pass of such softirqs, if there are any.
    pub fn interrupt(&self) -> bool {
        self.state.interrupt()
    }

    /// Whether a list of some CPU holds it at this moment.
    pub fn is_listed(&self) -> bool {
        self.listed.get()
    }

    /// Whether the SCHED bit, or the RUN bit, is set by now: outside of loom, to decide whether to
    /// check.
    pub fn is_scheduled_by_now(&self) -> bool {
        !self.state.is_clear_by_now(SCHED)
    }

    pub fn is_running_by_now(&self) -> bool {
        !self.state.is_clear_by_now(RUN)
    }

    pub fn is_disabled_by_now(&self) -> bool {
        self.count.newest.load(outside::Ordering::Relaxed) != 0
    }

    /// `__tasklet_schedule_common()`.
    fn add(&self, cpu: &Cpu) {
        self.touch();
        self.next.write(|()| ());
        cpu.raise(self.around.upgrade().expect("nothing around it"));
    }

    /// Puts it back into the list, as it cannot run now.
    fn add_again(&self, cpu: &Cpu, why: PutBack) {
        self.add(cpu);
        self.put_back.set(why);
    }

    fn is_put_back(&self) -> bool {
        self.put_back.get() != PutBack::No
    }

    /// Whether softirq code would find the tasklet as it was when it put it back.
    fn is_stuck(&self) -> bool {
        match self.put_back.get() {
            PutBack::No => false,
            PutBack::Disabled => self.is_disabled_by_now(),
            PutBack::Running => self.is_running_by_now(),
        }
    }

    /// `tasklet_trylock()`: a full barrier. The wrapper relies on the part that acquire and release
    /// do not provide: the bit is set before the count is read.
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
    /// decrement. Returns what the count was.
    pub fn enable(&self) -> i32 {
        self.touch();
        if !is_wrong(Site::EnableRelease) {
            fence(Release);
        }
        self.add_to_count(-1, Relaxed)
    }

    /// `atomic_inc(&t->count)` and `atomic_dec(&t->count)`.
    fn add_to_count(&self, n: i32, ordering: Ordering) -> i32 {
        let was = self.count.count.fetch_add(n, ordering);
        self.count.newest.store(was + n, outside::Ordering::Relaxed);
        self.state.watchers.wake();
        was
    }

    /// `atomic_read(&t->count)`.
    pub fn count(&self) -> i32 {
        self.touch();
        self.count.count.load(Relaxed)
    }

    /// `atomic_set_release(&t->count, 0)`, but for the ordering.
    ///
    /// `among_others` who change it, too, it is an exchange: loom lets a store be older than what
    /// another thread did to the count before it, for ever.
    pub fn reset_count(&self, ordering: Ordering, among_others: bool) {
        self.touch();
        if among_others {
            self.count.count.swap(0, ordering);
        } else {
            self.count.count.store(0, ordering);
        }
        self.count.newest.store(0, outside::Ordering::Relaxed);
    }

    /// `tasklet_kill()`.
    pub fn kill(&self, property: Property) {
        ends(property, || {
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
            if !self.state.interrupt() {
                self.state.sleepers.sleep();
            }
        }
    }
}

/// What softirq code knows of its CPU. The order of the list is kept outside of loom.
pub struct Cpu {
    pending: AtomicUsize,
    list: RefCell<Vec<Rc<dyn Around>>>,
    idle: Sleepers,
}

/// `Cpu::pending`: there are tasklets in the list, and the softirq is raised.
const RAISED: usize = 1;
/// `Cpu::pending`: only the softirq code itself still schedules here.
const CLOSED: usize = 2;

/// After this many passes of softirq code in a row, others get the CPU first, as with `ksoftirqd`.
const PASSES: usize = 2;

impl Cpu {
    pub fn new() -> Self {
        Self {
            pending: AtomicUsize::new(0),
            list: RefCell::new(Vec::new()),
            idle: Sleepers::new(),
        }
    }

    /// What the kernel does with interrupts disabled on one CPU. That CPU does one thing after
    /// another, so what was done before the tasklet was listed is done when it is taken from the
    /// list.
    fn raise(&self, tasklet: Rc<dyn Around>) {
        self.pending.fetch_or(RAISED, Release);
        let listed = tasklet.tasklet().listed.replace(true);
        expect(Property::OneList, !listed, "it is listed twice");
        // Its address goes into the link of the last one.
        if let Some(last) = self.list.borrow().last() {
            last.tasklet().touch();
        }
        self.list.borrow_mut().push(tasklet);
        self.idle.wake();
    }

    /// Lets [`Cpu::softirqs`] return once there is nothing to do.
    pub fn close(&self) {
        self.pending.fetch_or(CLOSED, Release);
        self.idle.wake();
    }

    /// The softirqs of this CPU: `tasklet_action()` whenever it is raised.
    pub fn softirqs(&self) {
        self.softirqs_and(&|| ());
    }

    /// The softirqs of this CPU, each pass of which is followed by `interrupt`.
    pub fn softirqs_and(&self, interrupt: &dyn Fn()) {
        let mut passes = 0;
        loop {
            let pending = self.pending.fetch_and(!RAISED, Acquire);
            if pending & RAISED != 0 {
                self.tasklet_action();
                interrupt();
                passes += 1;
                if self.has_only(TaskletStruct::is_put_back) {
                    // The next pass would find the same. But others must find only the SCHED bit
                    // set.
                    give_way_until(|| !self.has_only(TaskletStruct::is_stuck));
                } else if passes % PASSES == 0 {
                    yield_now();
                }
            } else if pending & CLOSED != 0 {
                return;
            } else {
                self.idle.sleep();
            }
        }
    }

    /// Whether a pass would find something to do.
    pub fn is_raised(&self) -> bool {
        !self.list.borrow().is_empty() && !self.has_only(TaskletStruct::is_stuck)
    }

    /// What a CPU does when the process that it runs sleeps or is interrupted: a pass of the
    /// softirqs that are pending. Whether there were any.
    pub fn interrupt(&self) -> bool {
        if !self.is_raised() {
            return false;
        }
        self.pending.fetch_and(!RAISED, Acquire);
        self.tasklet_action();
        true
    }

    /// `tasklet_action()`: a pass over the list.
    fn tasklet_action(&self) {
        let list = take(&mut *self.list.borrow_mut());
        for tasklet in list {
            self.action(&*tasklet);
        }
    }

    /// Whether there are tasklets in the list, and all of them are such.
    fn has_only(&self, such: impl Fn(&TaskletStruct) -> bool) -> bool {
        let list = self.list.borrow();
        !list.is_empty() && list.iter().all(|tasklet| such(tasklet.tasklet()))
    }

    /// `tasklet_action_common()`, for one tasklet of the list that it took.
    fn action(&self, around: &dyn Around) {
        let t = around.tasklet();
        t.touch();
        t.next.read(|()| ());
        t.listed.set(false);
        t.put_back.set(PutBack::No);

        if t.trylock() {
            if t.count() == 0 {
                if is_wrong(Site::StepSchedClearedFirst) {
                    around.callback(self);
                    t.clear_sched();
                } else {
                    t.clear_sched();
                    around.callback(self);
                }
                t.unlock();
                return;
            }
            t.unlock();
            t.add_again(self, PutBack::Disabled);
        } else {
            t.add_again(self, PutBack::Running);
        }
    }
}
