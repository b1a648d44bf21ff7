// SPDX-License-Identifier: GPL-2.0

//! What tasklets and BH work items promise alike: each promise once, for both.
//!
//! The words are those of tasklets. A work item is queued and cancelled, where a tasklet is
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
    /// Lends one of priority `p`, whose callback is `run`, to `test`.
    fn with(
        p: Priority,
        state: S,
        run: Run<S>,
        test: impl FnOnce(Pin<&mut Self>) -> Verdict,
    ) -> Verdict;

    /// Makes one that its owner may keep.
    fn boxed(p: Priority, state: S, run: Run<S>) -> Result<Pin<KBox<Self>>>;

    fn flags(self: Pin<&Self>) -> &Flags;

    /// Schedules it, a tasklet at priority `p`. A work item has one queue for life.
    ///
    /// Tells whether no run was pending before, if that is known: `tasklet_schedule` does not tell.
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

/// Words that a callback and a test share.
pub(crate) struct Flags {
    pub(crate) p: Priority,
    /// How often the callback has begun and ended.
    pub(crate) begun: Atomic<i32>,
    ended: Atomic<i32>,
    /// What the test lets the callback do.
    pub(crate) go: Atomic<i32>,
    /// What the callback found.
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

/// Does nothing but be counted.
pub(crate) fn nothing<S>(_: &Flags, _: &mut S, _: &Again<'_>) {}

/// Counts itself.
pub(crate) fn count_in_state(_: &Flags, runs: &mut u32, _: &Again<'_>) {
    *runs += 1;
}

/// The runs of all that count themselves here.
pub(crate) static RUNS: Atomic<i32> = Atomic::new(0);

pub(crate) fn count_in_static(_: &Flags, _: &mut u32, _: &Again<'_>) {
    RUNS.add(1, Relaxed);
}

/// Notes its CPU.
pub(crate) fn find_cpu(flags: &Flags, _: &mut u32, _: &Again<'_>) {
    flags.found.store(CpuId::current().as_u32() as i32, Relaxed);
}

/// Notes its CPU, and goes on for ever.
pub(crate) fn run_for_ever(flags: &Flags, state: &mut u32, again: &Again<'_>) {
    find_cpu(flags, state, again);
    again(flags.p);
}

/// Holds its first run until it is told to go on, and notes its CPU.
pub(crate) fn hold_the_first_run(flags: &Flags, state: &mut u32, again: &Again<'_>) {
    if flags.begun.load(Relaxed) == 1 {
        spin_until(|| flags.go.load(Relaxed) == 1);
    }
    find_cpu(flags, state, again);
}

/// Once it is told that somebody waits for it, it takes its time, and then says that it has ended.
pub(crate) fn end_late(flags: &Flags, _: &mut u32, _: &Again<'_>) {
    spin_until(|| flags.go.load(Relaxed) == 1);
    udelay(Delta::from_millis(3));
    flags.found.store(1, Relaxed);
}

/// Runs `test`, with the number of another CPU, while one with the callback `run` is in its first
/// run there.
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

/// Starts something twice, and tells whether it was the first call that did it, if that is known.
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
    /// How often each of the first two CPUs ran it.
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
        // Where the CPUs of a guest take turns, one of them may find it scheduled by the other each
        // time. So each gets it to itself, too.
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
    // Here, as a run on this task would keep it from starting the other one.
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
            // Interrupts are off in there, so that nothing runs between the two.
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

/// Has `start` start two with interrupts off, and tells whether the second ran first.
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

/// On the CPU where it runs, the killer gets to run only between two passes of the softirqs, when
/// it is always scheduled; from another CPU it is found running, too.
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

/// The callback uses what the drop frees, until its very end.
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

// ---- The CPU goes away. ----

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
