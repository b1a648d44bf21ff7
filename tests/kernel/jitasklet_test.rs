// SPDX-License-Identifier: GPL-2.0

//! Tests, in a running kernel, of what LDD3 7.5 says about tasklets, and of what `tasklet_wrap.rs`
//! guarantees. `bh.rs` tests what `bh_work.rs` guarantees, and `common.rs` what both guarantee.
//!
//! Loading the module runs the tests, one after another, and prints KTAP to the kernel log.
//! `tests/README.md` lists the tests that prove each sentence of the chapter.

use core::pin::Pin;
use kernel::{
    cpu::nr_cpu_ids,
    prelude::*,
    sync::atomic::{ordering::Relaxed, Atomic},
    time::{
        delay::{fsleep, udelay},
        Delta,
    },
};

#[path = "../../bh_work.rs"]
pub mod bh_work;
#[path = "../../context.rs"]
pub mod context;
mod env;
#[path = "../../tasklet_wrap.rs"]
pub mod tasklet_wrap;
#[path = "../../unload.rs"]
pub mod unload;
#[path = "../../versions.rs"]
pub mod versions;

use env::{on_cpu, on_every_cpu, online_cpus, Offline, Pinned};
use tasklet_wrap::{StaticTasklet, Tasklet, TaskletContext, TaskletHandler};

module! {
    type: TestModule,
    name: "jitasklet_test",
    authors: ["The jitasklet authors"],
    description: "The tests of jitasklet's wrappers",
    license: "GPL",
}

struct TestModule;

impl kernel::Module for TestModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        run_all();
        Ok(Self)
    }
}

/// How a test ends if it does not pass.
enum End {
    Failed(&'static str),
    Skipped(&'static str),
}

type Verdict = Result<(), End>;

impl From<Error> for End {
    fn from(_: Error) -> Self {
        End::Failed("out of memory")
    }
}

/// Two CPUs: one for the test itself, and another one.
fn two_cpus() -> Result<(u32, u32), End> {
    let mut cpus = online_cpus();

    match (cpus.next(), cpus.next()) {
        (Some(here), Some(there)) => Ok((here, there)),
        _ => Err(End::Skipped("there is only one CPU")),
    }
}

macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            let at = concat!(file!(), ":", line!(), ": ", stringify!($condition));
            return Err(End::Failed(at));
        }
    };
}

/// The tests that are run at both priorities, and those that are run once.
struct Tests {
    both: List<fn(Priority) -> Verdict>,
    once: List<fn() -> Verdict>,
}

type List<F> = &'static [(&'static str, F)];

/// Defines `TESTS`. An entry is a function, or a name, `=` and a function.
macro_rules! tests {
    (both: [$($both:tt)*], once: [$($once:tt)*]) => {
        /// The tests of this file.
        pub(crate) const TESTS: $crate::Tests = $crate::Tests {
            both: tests!([] $($both)*),
            once: tests!([] $($once)*),
        };
    };
    ([$($done:tt)*]) => { &[$($done)*] };
    ([$($done:tt)*] $name:ident = $test:expr, $($rest:tt)*) => {
        tests!([$($done)* (stringify!($name), $test),] $($rest)*)
    };
    ([$($done:tt)*] $name:ident $(::<$kind:ty>)?, $($rest:tt)*) => {
        tests!([$($done)* (stringify!($name), $name $(::<$kind>)?),] $($rest)*)
    };
}

// These use the macros above.
mod bh;
mod common;

use common::*;

/// The call that a test schedules with.
#[derive(Clone, Copy, PartialEq)]
enum Priority {
    Normal,
    Hi,
}
use Priority::{Hi, Normal};

impl Priority {
    fn other(self) -> Self {
        match self {
            Normal => Hi,
            Hi => Normal,
        }
    }

    fn schedule<T: TaskletHandler>(self, tasklet: &Tasklet<T>) {
        match self {
            Normal => tasklet.schedule(),
            Hi => tasklet.hi_schedule(),
        }
    }

    fn reschedule(self, cx: &TaskletContext<'_>) {
        match self {
            Normal => cx.schedule(),
            Hi => cx.hi_schedule(),
        }
    }
}

/// A tasklet for a test.
type Probed<S = u32> = Tasklet<Probe<S>>;

impl<S: Send> TaskletHandler for Probe<S> {
    type State = S;

    fn run(self: Pin<&Self>, state: &mut S, cx: &TaskletContext<'_>) {
        self.call(state, &|p| {
            p.reschedule(cx);
            None
        });
    }
}

impl<S: Send + 'static> Deferred<S> for Probed<S> {
    fn with(
        p: Priority,
        state: S,
        run: Run<S>,
        test: impl FnOnce(Pin<&mut Self>) -> Verdict,
    ) -> Verdict {
        Tasklet::scope(Probe::new(p, run), state, test)?
    }

    fn boxed(p: Priority, state: S, run: Run<S>) -> Result<Pin<KBox<Self>>> {
        KBox::pin_init(Tasklet::new(Probe::new(p, run), state), GFP_KERNEL)
    }

    fn flags(self: Pin<&Self>) -> &Flags {
        &self.handler().get_ref().flags
    }

    fn start(&self, p: Priority) -> Option<bool> {
        p.schedule(self);
        None
    }

    fn stop(self: Pin<&mut Self>) -> &mut S {
        self.kill()
    }
}

/// Waits, in process context, until `condition` holds, which most do at once. Gives up after 100
/// seconds, as a guard against hangs.
fn eventually(condition: impl Fn() -> bool) -> bool {
    for n in 0..100_000 {
        if condition() {
            return true;
        }
        fsleep(Delta::from_micros(if n < 20 { 50 } else { 1_000 }));
    }
    false
}

/// The same for a callback, which must not sleep. Gives up after ten seconds, before the kernel
/// reports a lockup.
fn spin_until(condition: impl Fn() -> bool) -> bool {
    for _ in 0..10_000_000 {
        if condition() {
            return true;
        }
        udelay(Delta::from_micros(1));
    }
    false
}

/// Waits until everything that is scheduled on this CPU, and can run, has run: schedules three
/// tasklets of each priority behind it, one after another, and waits for each.
fn flush() -> Verdict {
    for p in [Normal, Hi, Normal, Hi, Normal, Hi] {
        Probed::with(p, 0, nothing, |t| {
            p.schedule(&t);
            check!(eventually(|| flags(&t).runs() == 1));
            Ok(())
        })?;
    }
    Ok(())
}

fn is_rt() -> bool {
    cfg!(CONFIG_PREEMPT_RT)
}

// ---- Scheduling. ----

fn scheduled_twice_while_disabled_it_runs_once(p: Priority) -> Verdict {
    Probed::with(p, 0, nothing, |t| {
        let disabled = t.disable();
        p.schedule(&t);
        flush()?;
        p.schedule(&t);
        disabled.enable();
        check!(eventually(|| flags(&t).runs() > 0));
        flush()?;
        check!(flags(&t).runs() == 1);
        Ok(())
    })
}

fn scheduled_while_it_runs_it_runs_again(p: Priority) -> Verdict {
    while_running(p, hold_the_first_run, |t: Pin<&mut Probed>, _| {
        p.schedule(&t);
        p.schedule(&t);
        check!(flags(&t).runs() == 0);
        flags(&t).go.store(1, Relaxed);
        check!(eventually(|| flags(&t).runs() == 2));
        flush()?;
        check!(flags(&t).runs() == 2);
        Ok(())
    })
}

fn it_reschedules_itself_at_the_other_priority(p: Priority) -> Verdict {
    fn run(flags: &Flags, p: &mut Priority, again: &Again<'_>) {
        *p = p.other();
        if flags.begun.load(Relaxed) < 100 {
            again(*p);
        }
    }

    Probed::with(p, p, run, |t| {
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() == 100));
        flush()?;
        check!(flags(&t).runs() == 100);
        Ok(())
    })
}

fn the_first_schedule_decides_the_priority() -> Verdict {
    for cpu in online_cpus() {
        for first in [Normal, Hi] {
            let overtaken = overtakes(cpu, (first, Hi), |a: &Probed, b: &Probed| {
                first.schedule(a);
                first.other().schedule(a);
                b.hi_schedule();
            })?;
            check!(overtaken == (first == Normal));
        }
    }
    Ok(())
}

/// Scheduled by an interrupt, the tasklet first runs at that interrupt's exit. It reschedules
/// itself, and must move to ksoftirqd before the eleventh pass, so that the interrupted task can
/// continue.
fn a_self_rescheduler_moves_to_ksoftirqd_within_ten_passes(p: Priority) -> Verdict {
    /// A guard against hangs: on a slow machine one interrupt may follow another.
    const MOST: i32 = 100_000;

    /// Counts the passes outside ksoftirqd, up to the first one in it.
    fn run(flags: &Flags, outside: &mut u32, again: &Again<'_>) {
        let comm = context::Context::current();

        if comm.comm().to_bytes().starts_with(b"ksoftirqd/") {
            flags.found.store(1, Relaxed);
        } else if flags.begun.load(Relaxed) == MOST {
            flags.found.store(-1, Relaxed);
        } else {
            *outside += 1;
            again(flags.p);
        }
    }

    if is_rt() {
        return Err(End::Skipped(
            "on PREEMPT_RT an interrupt's exit only wakes a thread",
        ));
    }
    let mut within_ten = 0;
    for (n, cpu) in online_cpus().cycle().take(2_000).enumerate() {
        // Not every time: another interrupt meanwhile adds up to ten passes of its own.
        if n >= 20 && within_ten > 0 {
            break;
        }
        Probed::with(p, 0, run, |mut t| {
            on_cpu(cpu, || p.schedule(&t));
            check!(eventually(|| flags(&t).found.load(Relaxed) != 0));
            check!(flags(&t).found.load(Relaxed) == 1);
            within_ten += i32::from((1..=10).contains(t.as_mut().kill()));
            Ok(())
        })?;
    }
    check!(within_ten > 0);
    Ok(())
}

// ---- Disabling. ----

fn it_runs_when_enabled_as_often_as_disabled(p: Priority) -> Verdict {
    Probed::with(p, 0, nothing, |t| {
        let first = t.disable();
        let second = t.disable_nosync();
        let third = t.disable();
        p.schedule(&t);
        flush()?;
        check!(flags(&t).runs() == 0);
        first.enable();
        flush()?;
        check!(flags(&t).runs() == 0);
        drop(third);
        flush()?;
        check!(flags(&t).runs() == 0);
        second.enable();
        check!(eventually(|| flags(&t).runs() == 1));
        flush()?;
        check!(flags(&t).runs() == 1);
        Ok(())
    })
}

fn disable_waits_for_a_running_callback(p: Priority) -> Verdict {
    while_running(p, end_late, |t: Pin<&mut Probed>, _| {
        flags(&t).go.store(1, Relaxed);
        let disabled = t.disable();
        check!(flags(&t).found.load(Relaxed) == 1);
        disabled.enable();
        Ok(())
    })
}

fn disable_mut_waits_for_a_running_callback(p: Priority) -> Verdict {
    while_running(p, end_late, |mut t: Pin<&mut Probed>, _| {
        flags(&t).go.store(1, Relaxed);
        t.as_mut().disable_mut().enable();
        check!(flags(&t).found.load(Relaxed) == 1);
        Ok(())
    })
}

fn disable_mut_waits_although_a_guard_was_leaked(p: Priority) -> Verdict {
    while_running(p, end_late, |mut t: Pin<&mut Probed>, _| {
        core::mem::forget(t.disable_nosync());
        flags(&t).go.store(1, Relaxed);
        t.as_mut().disable_mut().enable();
        check!(flags(&t).found.load(Relaxed) == 1);
        Ok(())
    })
}

fn disable_nosync_does_not_wait_until_asked_to(p: Priority) -> Verdict {
    while_running(p, end_late, |t: Pin<&mut Probed>, _| {
        let disabled = t.disable_nosync();
        check!(flags(&t).found.load(Relaxed) == 0 && flags(&t).runs() == 0);
        p.schedule(&t);
        flags(&t).go.store(1, Relaxed);
        let disabled = disabled.wait();
        check!(flags(&t).found.load(Relaxed) == 1);
        flush()?;
        check!(flags(&t).runs() == 1);
        disabled.enable();
        check!(eventually(|| flags(&t).runs() == 2));
        Ok(())
    })
}

/// The callback of one tasklet schedules another one, which its handler borrows.
fn a_handler_may_borrow(p: Priority) -> Verdict {
    struct ScheduleOther<'a>(&'a Probed, Priority);

    impl TaskletHandler for ScheduleOther<'_> {
        type State = ();

        fn run(self: Pin<&Self>, (): &mut (), _: &TaskletContext<'_>) {
            self.1.schedule(self.0);
        }
    }

    Probed::with(p, 0, count_in_state, |mut other| {
        Tasklet::scope(ScheduleOther(&other, p), (), |t| {
            p.schedule(&t);
            check!(eventually(|| flags(&other).runs() == 1));
            Ok(())
        })??;
        check!(*other.as_mut().kill() == 1);
        Ok(())
    })
}

fn a_tasklet_made_disabled_runs_when_released(p: Priority) -> Verdict {
    let tasklet = KBox::pin_init(Tasklet::new_disabled(Probe::new(p, nothing), 0), GFP_KERNEL)?;

    p.schedule(&tasklet);
    flush()?;
    check!(flags(&tasklet).runs() == 0);
    let initial = tasklet.initial_disable();
    check!(initial.is_some() && tasklet.initial_disable().is_none());
    drop(initial);
    check!(eventually(|| flags(&tasklet).runs() == 1));
    Ok(())
}

fn a_static_runs_through_the_one_handle(p: Priority) -> Verdict {
    static ENABLED: [StaticTasklet<Probe>; 2] = [
        StaticTasklet::new(Probe::new(Normal, nothing), 0),
        StaticTasklet::new(Probe::new(Hi, nothing), 0),
    ];

    let tasklet = &ENABLED[p as usize];
    let Some(handle) = tasklet.take() else {
        return Err(End::Failed("the handle was taken already"));
    };
    check!(tasklet.take().is_none());
    check!(handle.initial_disable().is_none());
    p.schedule(&handle);
    // Dropping the handle waits for the run.
    drop(handle);
    check!(tasklet.take().is_none());
    Ok(())
}

fn a_static_that_was_not_taken_can_be_dropped(p: Priority) -> Verdict {
    let neighbour = Probed::boxed(p, 0, nothing)?;
    drop(StaticTasklet::new(Probe::new(p, nothing), 0));
    drop(neighbour);
    Ok(())
}

fn a_static_made_disabled_runs_when_released(p: Priority) -> Verdict {
    static DISABLED: [StaticTasklet<Probe>; 2] = [
        StaticTasklet::new_disabled(Probe::new(Normal, count_in_state), 0),
        StaticTasklet::new_disabled(Probe::new(Hi, count_in_state), 0),
    ];

    let Some(mut handle) = DISABLED[p as usize].take() else {
        return Err(End::Failed("the handle was taken already"));
    };
    p.schedule(&handle);
    flush()?;
    check!(*handle.as_mut().disable_mut().state() == 0);
    let Some(initial) = handle.initial_disable() else {
        return Err(End::Failed("it was not made disabled"));
    };
    initial.enable();
    check!(*handle.as_mut().kill() == 1);
    Ok(())
}

// ---- Killing. ----

/// Takes long enough that a kill that did not wait would return before the end.
fn run_long(_: &Flags, _: &mut u32, _: &Again<'_>) {
    udelay(Delta::from_millis(3));
}

fn kill_waits_for_a_scheduled_run(p: Priority) -> Verdict {
    Probed::with(p, 0, run_long, |mut t| {
        for (n, cpu) in online_cpus().enumerate() {
            let _pinned = Pinned::to(cpu);
            p.schedule(&t);
            t.as_mut().kill();
            check!(flags(&t).runs() == n as i32 + 1);
        }
        Ok(())
    })
}

/// Another tasklet holds the CPU until just before the kill.
fn kill_waits_for_a_run_that_another_delays(p: Priority) -> Verdict {
    while_running(p, end_late, |holder: Pin<&mut Probed>, there| {
        Probed::with(p, 0, nothing, |mut t| {
            on_cpu(there, || p.schedule(&t));
            check!(flags(&t).runs() == 0);
            flags(&holder).go.store(1, Relaxed);
            t.as_mut().kill();
            check!(flags(&t).runs() == 1);
            Ok(())
        })
    })
}

fn kill_discards_the_run_of_a_disabled_one(p: Priority) -> Verdict {
    Probed::with(p, 0, nothing, |mut t| {
        core::mem::forget(t.disable());
        core::mem::forget(t.disable_nosync());
        p.schedule(&t);
        flush()?;
        t.as_mut().kill();
        flush()?;
        check!(flags(&t).runs() == 0);
        // It is idle and enabled now.
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() == 1));
        Ok(())
    })
}

fn kill_enables_one_that_was_made_disabled(p: Priority) -> Verdict {
    let mut tasklet = KBox::pin_init(Tasklet::new_disabled(Probe::new(p, nothing), 0), GFP_KERNEL)?;

    p.schedule(&tasklet);
    tasklet.as_mut().kill();
    check!(tasklet.initial_disable().is_none());
    p.schedule(&tasklet);
    check!(eventually(|| flags(&tasklet).runs() == 1));
    Ok(())
}

fn drop_discards_the_run_of_a_disabled_one(p: Priority) -> Verdict {
    let tasklet = Probed::boxed(p, 0, count_in_static)?;

    RUNS.store(0, Relaxed);
    core::mem::forget(tasklet.disable());
    p.schedule(&tasklet);
    flush()?;
    drop(tasklet);
    check!(RUNS.load(Relaxed) == 0);
    Ok(())
}

fn a_leaked_guard_does_not_stop_the_drop_of_a_running_one(p: Priority) -> Verdict {
    Probed::with(p, 0, run_for_ever, |t| {
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() > 100));
        core::mem::forget(t.disable_nosync());
        Ok(())
    })
}

fn ten_thousand_are_made_scheduled_and_dropped_on_every_cpu_at_once(p: Priority) -> Verdict {
    static FAILED: Atomic<i32> = Atomic::new(0);
    const CYCLES: i32 = 10_000;

    RUNS.store(0, Relaxed);
    FAILED.store(0, Relaxed);
    // Never 0: objtool does not know that the panic of a division by zero does not return.
    let each = CYCLES / (online_cpus().count() as i32).max(1);
    on_every_cpu(|| {
        for _ in 0..each {
            match Probed::boxed(p, 0, count_in_static) {
                Ok(tasklet) => p.schedule(&tasklet),
                Err(_) => FAILED.store(1, Relaxed),
            }
        }
    })?;
    check!(FAILED.load(Relaxed) == 0);
    check!(RUNS.load(Relaxed) == each * online_cpus().count() as i32);
    Ok(())
}

// ---- The state. ----

fn disable_mut_lends_the_state(p: Priority) -> Verdict {
    Probed::with(p, 0, count_in_state, |mut t| {
        let mut disabled = t.as_mut().disable_mut();
        *disabled.state() = 40;
        match p {
            Normal => disabled.schedule(),
            Hi => disabled.hi_schedule(),
        }
        flush()?;
        check!(*disabled.state() == 40);
        *disabled.state() += 1;
        disabled.enable();
        check!(*t.as_mut().kill() == 42);
        Ok(())
    })
}

fn a_leaked_guard_keeps_it_disabled_after_disable_mut(p: Priority) -> Verdict {
    Probed::with(p, 0, count_in_state, |mut t| {
        core::mem::forget(t.disable());
        p.schedule(&t);
        for _ in 0..3 {
            *t.as_mut().disable_mut().state() += 10;
            flush()?;
        }
        check!(flags(&t).runs() == 0);
        check!(*t.as_mut().kill() == 30);
        Ok(())
    })
}

// ---- CPU hotplug. ----

/// Two CPUs: one that stays online, and one that can be unplugged.
fn two_cpus_one_removable() -> Result<(u32, u32), End> {
    let (here, there) = two_cpus()?;

    match Offline::take(there) {
        Ok(_) => Ok((here, there)),
        Err(_) => Err(End::Skipped("no CPU can be unplugged")),
    }
}

/// The tasklet is always scheduled, also when the CPU dies: `takeover_tasklets` moves it.
fn rescheduled_on_a_cpu_that_goes_offline_it_moves_to_another(p: Priority) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    Probed::with(p, 0, run_for_ever, |mut t| {
        on_cpu(there, || p.schedule(&t));
        check!(eventually(|| flags(&t).runs() > 100));
        check!(flags(&t).found.load(Relaxed) == there as i32);
        {
            let _offline = Offline::take(there)?;
            let runs = flags(&t).runs();
            check!(eventually(|| flags(&t).runs() > runs + 100));
            check!(flags(&t).found.load(Relaxed) == here as i32);
        }
        // It stays there when the CPU is back online, and can be killed.
        let runs = flags(&t).runs();
        check!(eventually(|| flags(&t).runs() > runs + 100));
        check!(flags(&t).found.load(Relaxed) == here as i32);
        t.as_mut().kill();
        Ok(())
    })
}

fn disabled_on_a_cpu_that_goes_offline_it_runs_when_enabled(p: Priority) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    Probed::with(p, 0, find_cpu, |t| {
        let disabled = t.disable();
        on_cpu(there, || p.schedule(&t));
        let _offline = Offline::take(there)?;
        flush()?;
        check!(flags(&t).runs() == 0);
        drop(disabled);
        check!(eventually(|| flags(&t).runs() == 1));
        check!(flags(&t).found.load(Relaxed) == here as i32);
        flush()?;
        check!(flags(&t).runs() == 1);
        Ok(())
    })
}

/// The first run lasts until the CPU is being unplugged, which waits for it; the second run is then
/// pending.
fn running_on_a_cpu_that_goes_offline_it_ends_there_and_runs_again(p: Priority) -> Verdict {
    fn run(flags: &Flags, state: &mut u32, again: &Again<'_>) {
        find_cpu(flags, state, again);
        if flags.begun.load(Relaxed) == 1 {
            spin_until(|| flags.go.load(Relaxed) == 1);
            udelay(Delta::from_micros(5_000));
            again(flags.p);
        }
    }

    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    Probed::with(p, 0, run, |t| {
        on_cpu(there, || p.schedule(&t));
        check!(spin_until(|| flags(&t).found.load(Relaxed) == there as i32));
        flags(&t).go.store(1, Relaxed);
        let _offline = Offline::take(there)?;
        check!(eventually(|| flags(&t).runs() == 2));
        flush()?;
        check!(flags(&t).runs() == 2);
        Ok(())
    })
}

// ---- The suite. ----

tests! {
    both: [
        runs_in_softirq_context_with_interrupts_enabled::<Probed>,
        runs_on_the_cpu_that_scheduled_it::<Probed>,
        never_runs_twice_at_the_same_time::<Probed>,
        different_tasklets_run_at_the_same_time = different_ones_run_at_the_same_time::<Probed>,
        scheduled_twice_before_it_runs_it_runs_once::<Probed>,
        scheduled_twice_while_disabled_it_runs_once,
        scheduled_while_it_runs_it_runs_again,
        it_reschedules_itself::<Probed>,
        it_reschedules_itself_at_the_other_priority,
        a_self_rescheduler_moves_to_ksoftirqd_within_ten_passes,
        it_runs_when_enabled_as_often_as_disabled,
        disable_waits_for_a_running_callback,
        disable_mut_waits_for_a_running_callback,
        disable_mut_waits_although_a_guard_was_leaked,
        disable_nosync_does_not_wait_until_asked_to,
        a_handler_may_borrow,
        a_tasklet_made_disabled_runs_when_released,
        a_static_runs_through_the_one_handle,
        a_static_that_was_not_taken_can_be_dropped,
        a_static_made_disabled_runs_when_released,
        kill_waits_for_a_scheduled_run,
        kill_waits_for_a_run_that_another_delays,
        kill_ends_one_that_reschedules_itself_for_ever::<Probed>,
        after_kill_it_can_be_scheduled_and_reschedule_itself_again::<Probed>,
        kill_discards_the_run_of_a_disabled_one,
        kill_enables_one_that_was_made_disabled,
        drop_discards_the_run_of_a_disabled_one,
        a_leaked_guard_does_not_stop_the_drop_of_a_running_one,
        drop_while_it_runs_on_another_cpu_waits =
            |p| drop_while_it_runs_on_another_cpu_waits::<Probed<_>>(p, Owner::KBox),
        ten_thousand_are_made_scheduled_and_dropped_on_every_cpu_at_once,
        kill_hands_the_state_back::<Probed>,
        disable_mut_lends_the_state,
        a_leaked_guard_keeps_it_disabled_after_disable_mut,
        scheduled_on_a_cpu_that_goes_offline_it_runs_once::<Probed>,
        rescheduled_on_a_cpu_that_goes_offline_it_moves_to_another,
        disabled_on_a_cpu_that_goes_offline_it_runs_when_enabled,
        running_on_a_cpu_that_goes_offline_it_ends_there_and_runs_again,
    ],
    once: [
        high_priority_runs_before_normal::<Probed>,
        the_first_schedule_decides_the_priority,
    ]
}

fn report(number: usize, file: &str, name: &str, priority: &str, verdict: Verdict) {
    let (not, skip, why) = match verdict {
        Ok(()) => ("", "", ""),
        Err(End::Skipped(why)) => ("", " # SKIP ", why),
        Err(End::Failed(what)) => {
            pr_info!("# {}\n", what);
            ("not ", "", "")
        }
    };

    pr_info!("{not}ok {number} {file}{name}{priority}{skip}{why}\n");
}

fn run_all() {
    let files = [("", TESTS), ("bh::", bh::TESTS)];
    let mut number = 0;

    pr_info!("KTAP version 1\n");
    let count = |(_, tests): &(_, Tests)| 2 * tests.both.len() + tests.once.len();
    pr_info!("1..{}\n", files.iter().map(count).sum::<usize>());
    for (file, tests) in files {
        for (name, test) in tests.both {
            for (priority, text) in [(Normal, ": normal priority"), (Hi, ": high priority")] {
                number += 1;
                report(number, file, name, text, test(priority));
            }
        }
        for (name, test) in tests.once {
            number += 1;
            report(number, file, name, "", test());
        }
    }
    pr_info!("# end of suite\n");
}
