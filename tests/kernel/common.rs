// SPDX-License-Identifier: GPL-2.0

//! Tests of what both tasklets and BH work items guarantee, each written once for both.
//!
//! The terms are those of tasklets. A work item is queued and cancelled, where a tasklet is
//! scheduled and killed.

use core::{ops::Deref, pin::Pin};
use kernel::{
    cpu::CpuId,
    prelude::*,
    sync::atomic::{ordering::Relaxed, Atomic},
    time::{delay::udelay, Delta},
};

use crate::{
    context::Context,
    env::{self, on_cpu, online_cpus, Offline, Pinned},
    eventually, flush, spin_until, two_cpus, two_cpus_one_removable, End,
    Priority::{self, Hi, Normal},
    Verdict,
};

/// A tasklet or a work item with a [`Probe`] as its handler.
pub(crate) trait Deferred<S = u32>: Sync + Sized {
    /// Makes one of priority `p`, whose callback is `run`, and lends it to `test`.
    fn with(
        p: Priority,
        state: S,
        run: Run<S>,
        test: impl FnOnce(Pin<&mut Self>) -> Verdict,
    ) -> Verdict;

    /// Makes one on the heap.
    fn boxed(p: Priority, state: S, run: Run<S>) -> Result<Pin<KBox<Self>>>;

    fn flags(self: Pin<&Self>) -> &Flags;

    /// Schedules it. A tasklet gets priority `p`; a work item keeps the queue that it was made for.
    ///
    /// Returns whether no run was pending before. A tasklet returns `None`, as `tasklet_schedule`
    /// does not tell.
    fn start(&self, p: Priority) -> Option<bool>;

    /// Kills it.
    fn stop(self: Pin<&mut Self>) -> &mut S;
}

/// As [`Deferred::start`], in the callback.
pub(crate) type Again<'a> = dyn Fn(Priority) -> Option<bool> + 'a;

/// A callback.
pub(crate) type Run<S> = fn(&Flags, &mut S, &Again<'_>);

/// A handler whose callback is a function, with flags.
pub(crate) struct Probe<S = u32> {
    pub(crate) flags: Flags,
    run: Run<S>,
}

impl<S> Probe<S> {
    pub(crate) const fn new(p: Priority, run: Run<S>) -> Self {
        Self {
            flags: Flags {
                p,
                begun: Atomic::new(0),
                ended: Atomic::new(0),
                go: Atomic::new(0),
                found: Atomic::new(0),
            },
            run,
        }
    }

    pub(crate) fn call(&self, state: &mut S, again: &Again<'_>) {
        self.flags.begun.add(1, Relaxed);
        (self.run)(&self.flags, state, again);
        self.flags.ended.add(1, Relaxed);
    }
}

/// Variables that a callback and a test share.
pub(crate) struct Flags {
    pub(crate) p: Priority,
    /// The numbers of runs that have begun, and that have ended.
    pub(crate) begun: Atomic<i32>,
    ended: Atomic<i32>,
    /// Set by most tests to let the callback continue.
    pub(crate) go: Atomic<i32>,
    /// What the callback recorded.
    pub(crate) found: Atomic<i32>,
}

impl Flags {
    pub(crate) fn runs(&self) -> i32 {
        self.ended.load(Relaxed)
    }
}

pub(crate) fn flags<S, P: Deref<Target: Deferred<S>>>(t: &Pin<P>) -> &Flags {
    t.as_ref().flags()
}

// ---- Callbacks. ----

/// Does nothing; its runs are counted anyway.
pub(crate) fn nothing<S>(_: &Flags, _: &mut S, _: &Again<'_>) {}

/// Counts its runs in the state.
pub(crate) fn count_in_state(_: &Flags, runs: &mut u32, _: &Again<'_>) {
    *runs += 1;
}

/// The number of runs of all callbacks that count here.
pub(crate) static RUNS: Atomic<i32> = Atomic::new(0);

pub(crate) fn count_in_static(_: &Flags, _: &mut u32, _: &Again<'_>) {
    RUNS.add(1, Relaxed);
}

/// Records its CPU.
pub(crate) fn find_cpu(flags: &Flags, _: &mut u32, _: &Again<'_>) {
    flags.found.store(CpuId::current().as_u32() as i32, Relaxed);
}

/// Records its CPU, and reschedules itself for ever.
pub(crate) fn run_for_ever(flags: &Flags, state: &mut u32, again: &Again<'_>) {
    find_cpu(flags, state, again);
    again(flags.p);
}

/// Waits in its first run until the test lets it continue, and records its CPU.
pub(crate) fn hold_the_first_run(flags: &Flags, state: &mut u32, again: &Again<'_>) {
    if flags.begun.load(Relaxed) == 1 {
        spin_until(|| flags.go.load(Relaxed) == 1);
    }
    find_cpu(flags, state, again);
}

/// Waits until the test lets it continue, runs for 3 ms more, and then records that it has ended.
pub(crate) fn end_late(flags: &Flags, _: &mut u32, _: &Again<'_>) {
    spin_until(|| flags.go.load(Relaxed) == 1);
    udelay(Delta::from_millis(3));
    flags.found.store(1, Relaxed);
}

/// Starts one with the callback `run` on another CPU. During its first run, calls `test` with the
/// number of that CPU.
pub(crate) fn while_running<D: Deferred>(
    p: Priority,
    run: Run<u32>,
    test: impl FnOnce(Pin<&mut D>, u32) -> Verdict,
) -> Verdict {
    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    D::with(p, 0, run, |t| {
        on_cpu(there, || t.start(p));
        check!(eventually(|| flags(&t).begun.load(Relaxed) == 1));
        test(t, there)
    })
}

/// Calls `start` twice. Returns whether the first call scheduled a run and the second did not, as
/// far as that is known.
fn twice(start: impl Fn() -> Option<bool>) -> bool {
    start() != Some(false) && start() != Some(true)
}

// ---- The context of a run. ----

pub(crate) fn runs_in_softirq_context_with_interrupts_enabled<D: Deferred>(p: Priority) -> Verdict {
    fn run(flags: &Flags, _: &mut u32, _: &Again<'_>) {
        let right = env::in_serving_softirq()
            && Context::current().in_interrupt
            && !env::in_hardirq()
            && !env::irqs_disabled();

        flags.found.store(i32::from(right), Relaxed);
    }

    D::with(p, 0, run, |t| {
        t.start(p);
        check!(eventually(|| flags(&t).runs() == 1));
        check!(flags(&t).found.load(Relaxed) == 1);
        Ok(())
    })
}

pub(crate) fn runs_on_the_cpu_that_scheduled_it<D: Deferred>(p: Priority) -> Verdict {
    D::with(p, 0, find_cpu, |t| {
        for (n, cpu) in online_cpus().enumerate() {
            on_cpu(cpu, || {
                flags(&t).go.store(i32::from(env::in_hardirq()), Relaxed);
                t.start(p);
            });
            check!(flags(&t).go.load(Relaxed) == 1);
            check!(eventually(|| flags(&t).runs() == n as i32 + 1));
            check!(flags(&t).found.load(Relaxed) == cpu as i32);
        }
        Ok(())
    })
}

/// Both CPUs schedule it all the time, so that one often finds it running on the other.
pub(crate) fn never_runs_twice_at_the_same_time<D: Deferred>(p: Priority) -> Verdict {
    /// The number of runs on each of the first two CPUs.
    static RAN: [Atomic<i32>; 2] = [const { Atomic::new(0) }; 2];

    fn run(flags: &Flags, _: &mut u32, _: &Again<'_>) {
        if flags.go.fetch_add(1, Relaxed) != 0 {
            flags.found.store(1, Relaxed);
        }
        if let Some(ran) = RAN.get(CpuId::current().as_u32() as usize) {
            ran.add(1, Relaxed);
        }
        udelay(Delta::from_micros(20));
        flags.go.add(-1, Relaxed);
    }

    two_cpus()?;
    for ran in &RAN {
        ran.store(0, Relaxed);
    }

    D::with(p, 0, run, |mut t| {
        for _ in 0..500 {
            for cpu in online_cpus() {
                on_cpu(cpu, || t.start(p));
            }
        }
        // If a guest's CPUs take turns, one of them may always find it scheduled by the other. So
        // each CPU also schedules it alone.
        t.as_mut().stop();
        for cpu in online_cpus() {
            for _ in 0..10 {
                let runs = flags(&t).runs();
                on_cpu(cpu, || t.start(p));
                check!(eventually(|| flags(&t).runs() > runs));
                t.as_mut().stop();
            }
        }
        check!(flags(&t).found.load(Relaxed) == 0);
        check!(RAN.iter().all(|ran| ran.load(Relaxed) >= 10));
        Ok(())
    })
}

pub(crate) fn different_ones_run_at_the_same_time<D: Deferred>(p: Priority) -> Verdict {
    static MET: [Atomic<i32>; 2] = [const { Atomic::new(0) }; 2];

    fn meet(flags: &Flags, me: &mut u32, _: &Again<'_>) {
        let me = *me as usize;

        MET[me].store(1, Relaxed);
        let met = spin_until(|| MET[1 - me].load(Relaxed) == 1);
        flags.found.store(i32::from(met), Relaxed);
    }

    let (first, second) = two_cpus()?;
    // Not `first`: a run on top of this task would keep it from starting the other one.
    let _pinned = Pinned::to(second);
    for met in &MET {
        met.store(0, Relaxed);
    }
    D::with(p, 0, meet, |a| {
        D::with(p, 1, meet, |b| {
            on_cpu(first, || a.start(p));
            on_cpu(second, || b.start(p));
            check!(eventually(|| flags(&a).runs() == 1 && flags(&b).runs() == 1));
            check!(flags(&a).found.load(Relaxed) == 1 && flags(&b).found.load(Relaxed) == 1);
            Ok(())
        })
    })
}

// ---- Scheduling. ----

pub(crate) fn scheduled_twice_before_it_runs_it_runs_once<D: Deferred>(p: Priority) -> Verdict {
    D::with(p, 0, nothing, |t| {
        for (n, cpu) in online_cpus().enumerate() {
            let _pinned = Pinned::to(cpu);
            // Interrupts are disabled in there, so nothing runs between the two calls.
            on_cpu(cpu, || {
                let right = twice(|| t.start(p));
                flags(&t).found.store(i32::from(right), Relaxed);
            });
            check!(flags(&t).found.load(Relaxed) == 1);
            check!(eventually(|| flags(&t).runs() > n as i32));
            flush()?;
            check!(flags(&t).runs() == n as i32 + 1);
        }
        Ok(())
    })
}

pub(crate) fn it_reschedules_itself<D: Deferred>(p: Priority) -> Verdict {
    fn run(flags: &Flags, right: &mut u32, again: &Again<'_>) {
        if flags.begun.load(Relaxed) < 100 {
            *right += u32::from(twice(|| again(flags.p)));
        }
    }

    D::with(p, 0, run, |mut t| {
        t.start(p);
        check!(eventually(|| flags(&t).runs() == 100));
        flush()?;
        check!(flags(&t).runs() == 100);
        check!(*t.as_mut().stop() == 99);
        Ok(())
    })
}

/// Has `start` start two with interrupts disabled. Returns whether the second ran first.
pub(crate) fn overtakes<A: Deferred, B: Deferred>(
    cpu: u32,
    (first, second): (Priority, Priority),
    start: impl Fn(&A, &B) + Sync,
) -> Result<bool, End> {
    /// The order in which they ran.
    static TURN: Atomic<i32> = Atomic::new(0);

    fn take_a_turn(flags: &Flags, _: &mut u32, _: &Again<'_>) {
        flags.found.store(TURN.fetch_add(1, Relaxed), Relaxed);
    }

    let mut overtaken = false;

    A::with(first, 0, take_a_turn, |a| {
        B::with(second, 0, take_a_turn, |b| {
            let _pinned = Pinned::to(cpu);
            on_cpu(cpu, || start(&a, &b));
            check!(eventually(|| flags(&a).runs() == 1 && flags(&b).runs() == 1));
            overtaken = flags(&b).found.load(Relaxed) < flags(&a).found.load(Relaxed);
            Ok(())
        })
    })?;
    Ok(overtaken)
}

pub(crate) fn high_priority_runs_before_normal<D: Deferred>() -> Verdict {
    for cpu in online_cpus() {
        for p in [(Normal, Hi), (Hi, Normal), (Normal, Normal), (Hi, Hi)] {
            let overtaken = overtakes(cpu, p, |a: &D, b: &D| {
                a.start(p.0);
                b.start(p.1);
            })?;
            check!(overtaken == (p == (Normal, Hi)));
        }
    }
    Ok(())
}

// ---- Killing. ----

/// On the CPU of the callback, the killer runs only between two passes of the softirqs, when it is
/// always scheduled. From another CPU, the killer also finds it running.
pub(crate) fn kill_ends_one_that_reschedules_itself_for_ever<D: Deferred>(p: Priority) -> Verdict {
    for killer in online_cpus() {
        let _pinned = Pinned::to(killer);

        for cpu in online_cpus() {
            D::with(p, 0, run_for_ever, |mut t| {
                on_cpu(cpu, || t.start(p));
                check!(eventually(|| flags(&t).runs() > 100));
                t.as_mut().stop();
                let runs = flags(&t).runs();
                check!(flags(&t).begun.load(Relaxed) == runs);
                flush()?;
                check!(flags(&t).begun.load(Relaxed) == runs);
                Ok(())
            })?;
        }
    }
    Ok(())
}

pub(crate) fn after_kill_it_can_be_scheduled_and_reschedule_itself_again<D: Deferred>(
    p: Priority,
) -> Verdict {
    D::with(p, 0, run_for_ever, |mut t| {
        for _ in 0..10 {
            let runs = flags(&t).runs();
            check!(t.start(p) != Some(false));
            check!(eventually(|| flags(&t).runs() > runs + 100));
            t.as_mut().stop();
        }
        Ok(())
    })
}

pub(crate) fn kill_hands_the_state_back<D: Deferred>(p: Priority) -> Verdict {
    D::with(p, 0, count_in_state, |mut t| {
        for n in 1..=100 {
            t.start(p);
            check!(eventually(|| flags(&t).runs() == n));
            let runs = t.as_mut().stop();
            check!(*runs == 2 * n as u32 - 1);
            *runs += 1;
        }
        Ok(())
    })
}

/// What drops it.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    Scope,
    KBox,
}

impl Owner {
    /// Runs `test` with one that is then dropped.
    pub(crate) fn lend<D: Deferred<S>, S>(
        self,
        p: Priority,
        state: S,
        run: Run<S>,
        test: impl FnOnce(Pin<&mut D>) -> Verdict,
    ) -> Verdict {
        match self {
            Owner::Scope => D::with(p, state, run, test),
            Owner::KBox => test(D::boxed(p, state, run)?.as_mut()),
        }
    }
}

/// The callback uses, until its very end, what the drop frees.
pub(crate) fn drop_while_it_runs_on_another_cpu_waits<D: Deferred<KBox<u32>>>(
    p: Priority,
    owner: Owner,
) -> Verdict {
    fn run(flags: &Flags, data: &mut KBox<u32>, _: &Again<'_>) {
        for _ in 0..300 {
            udelay(Delta::from_micros(10));
            **data += 1;
        }
        RUNS.store(**data as i32 * flags.begun.load(Relaxed), Relaxed);
    }

    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    for _ in 0..20 {
        let data = KBox::new(0, GFP_KERNEL).map_err(Error::from)?;

        RUNS.store(0, Relaxed);
        owner.lend(p, data, run, |t: Pin<&mut D>| {
            on_cpu(there, || t.start(p));
            check!(spin_until(|| flags(&t).begun.load(Relaxed) == 1));
            Ok(())
        })?;
        check!(RUNS.load(Relaxed) == 300);
    }
    Ok(())
}

// ---- CPU hotplug. ----

pub(crate) fn scheduled_on_a_cpu_that_goes_offline_it_runs_once<D: Deferred>(
    p: Priority,
) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    for _ in 0..5 {
        D::with(p, 0, nothing, |t| {
            on_cpu(there, || t.start(p));
            let _offline = Offline::take(there)?;
            check!(eventually(|| flags(&t).runs() == 1));
            flush()?;
            check!(flags(&t).runs() == 1);
            Ok(())
        })?;
    }
    Ok(())
}
