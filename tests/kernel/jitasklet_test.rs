// SPDX-License-Identifier: GPL-2.0

//! What LDD3 7.5 says of tasklets, and what `tasklet_wrap.rs` promises, proved in a running kernel;
//! then what `bh_work.rs` promises, which is in `bh.rs`.
//!
//! Loading the module runs the tests, one after another, and prints KTAP into the kernel log. Which
//! sentence of the chapter each of them stands for is in `tests/README.md`.

use core::pin::Pin;
use kernel::{
    cpu::{nr_cpu_ids, CpuId},
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

/// How a test can end other than well.
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

/// A CPU to be on, and another one.
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
            return Err(End::Failed(concat!(
                "line ",
                line!(),
                ": ",
                stringify!($condition)
            )));
        }
    };
}

/// The tests that are run at both priorities, and those that are run once.
struct Tests {
    both: List<fn(Priority) -> Verdict>,
    once: List<fn() -> Verdict>,
}

type List<F> = &'static [(&'static str, F)];

macro_rules! tests {
    (both: [$($both:ident,)*], once: [$($once:ident,)*]) => {
        /// The tests of this file.
        pub(crate) const TESTS: $crate::Tests = $crate::Tests {
            both: &[$((stringify!($both), $both),)*],
            once: &[$((stringify!($once), $once),)*],
        };
    };
}

// Below the macros, which it uses.
mod bh;

/// With which of the two calls a test schedules.
#[derive(Clone, Copy, PartialEq)]
enum Priority {
    Normal,
    Hi,
}
use Priority::{Hi, Normal};

impl Priority {
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

/// Words that a callback and a test share.
struct Flags {
    /// How often the callback has begun and ended.
    begun: Atomic<i32>,
    ended: Atomic<i32>,
    /// What the test lets the callback do.
    go: Atomic<i32>,
    /// What the callback found.
    found: Atomic<i32>,
}

impl Flags {
    const fn new() -> Self {
        Self {
            begun: Atomic::new(0),
            ended: Atomic::new(0),
            go: Atomic::new(0),
            found: Atomic::new(0),
        }
    }

    fn runs(&self) -> i32 {
        self.ended.load(Relaxed)
    }
}

/// A tasklet's handler for a test: the callback is a function, with flags and a state.
struct Probe<S> {
    flags: Flags,
    run: fn(&Flags, &mut S, &TaskletContext<'_>),
}

impl<S: Send + 'static> TaskletHandler for Probe<S> {
    type State = S;

    fn run(self: Pin<&Self>, state: &mut S, cx: &TaskletContext<'_>) {
        let this = self.get_ref();

        this.flags.begun.add(1, Relaxed);
        (this.run)(&this.flags, state, cx);
        this.flags.ended.add(1, Relaxed);
    }
}

impl<S> Probe<S> {
    const fn new(run: fn(&Flags, &mut S, &TaskletContext<'_>)) -> Self {
        Self {
            flags: Flags::new(),
            run,
        }
    }
}

type Probed<'a, S> = Pin<&'a mut Tasklet<Probe<S>>>;

fn flags<'a, S: Send + 'static>(tasklet: &'a Probed<'_, S>) -> &'a Flags {
    &tasklet.as_ref().handler().get_ref().flags
}

/// Runs `test` with a tasklet whose callback is `run`.
fn with<S: Send + 'static>(
    state: S,
    run: fn(&Flags, &mut S, &TaskletContext<'_>),
    test: impl FnOnce(Probed<'_, S>) -> Verdict,
) -> Verdict {
    Tasklet::scope(Probe::new(run), state, test)?
}

/// A callback that does nothing but be counted.
fn nothing<S>(_: &Flags, _: &mut S, _: &TaskletContext<'_>) {}

/// A callback that counts itself.
fn count_in_state(_: &Flags, runs: &mut u32, _: &TaskletContext<'_>) {
    *runs += 1;
}

/// Waits, in process context, until `condition` holds. Most do at once. It gives up after 100
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

/// The same in a callback, which must not sleep. It gives up after ten seconds, before the kernel
/// takes the CPU for locked up.
fn spin_until(condition: impl Fn() -> bool) -> bool {
    for _ in 0..10_000_000 {
        if condition() {
            return true;
        }
        udelay(Delta::from_micros(1));
    }
    false
}

/// Sees to it that what is scheduled on this CPU, and can run, has run: three tasklets of each
/// priority, scheduled behind it one after another, have.
fn flush() -> Verdict {
    for p in [Normal, Hi, Normal, Hi, Normal, Hi] {
        with((), nothing, |t| {
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

// ---- The context of a run. ----

fn runs_in_softirq_context_with_interrupts_enabled(p: Priority) -> Verdict {
    fn run(flags: &Flags, _: &mut (), _: &TaskletContext<'_>) {
        let right = env::in_serving_softirq()
            && context::Context::current().in_interrupt
            && !env::in_hardirq()
            && !env::irqs_disabled();

        flags.found.store(i32::from(right), Relaxed);
    }

    with((), run, |t| {
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() == 1));
        check!(flags(&t).found.load(Relaxed) == 1);
        Ok(())
    })
}

fn runs_on_the_cpu_that_scheduled_it(p: Priority) -> Verdict {
    fn run(flags: &Flags, _: &mut (), _: &TaskletContext<'_>) {
        flags.found.store(CpuId::current().as_u32() as i32, Relaxed);
    }

    with((), run, |t| {
        for (n, cpu) in online_cpus().enumerate() {
            on_cpu(cpu, || {
                flags(&t).go.store(i32::from(env::in_hardirq()), Relaxed);
                p.schedule(&t);
            });
            check!(flags(&t).go.load(Relaxed) == 1);
            check!(eventually(|| flags(&t).runs() == n as i32 + 1));
            check!(flags(&t).found.load(Relaxed) == cpu as i32);
        }
        Ok(())
    })
}

/// Both CPUs schedule it all the time, so that one often finds it running on the other.
fn never_runs_twice_at_the_same_time(p: Priority) -> Verdict {
    /// How often each of the first two CPUs ran it.
    static RAN: [Atomic<i32>; 2] = [const { Atomic::new(0) }; 2];

    fn run(flags: &Flags, _: &mut (), _: &TaskletContext<'_>) {
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

    with((), run, |mut t| {
        for _ in 0..500 {
            for cpu in online_cpus() {
                on_cpu(cpu, || p.schedule(&t));
            }
        }
        // Where the CPUs of a guest take turns, one of them may find it scheduled by the other each
        // time. So each gets it to itself, too.
        t.as_mut().kill();
        for cpu in online_cpus() {
            for _ in 0..10 {
                let runs = flags(&t).runs();
                on_cpu(cpu, || p.schedule(&t));
                check!(eventually(|| flags(&t).runs() > runs));
                t.as_mut().kill();
            }
        }
        check!(flags(&t).found.load(Relaxed) == 0);
        check!(RAN.iter().all(|ran| ran.load(Relaxed) >= 10));
        Ok(())
    })
}

fn different_tasklets_run_at_the_same_time(p: Priority) -> Verdict {
    static MET: [Atomic<i32>; 2] = [const { Atomic::new(0) }; 2];

    fn meet(flags: &Flags, me: &mut usize, _: &TaskletContext<'_>) {
        MET[*me].store(1, Relaxed);
        let met = spin_until(|| MET[1 - *me].load(Relaxed) == 1);
        flags.found.store(i32::from(met), Relaxed);
    }

    let (first, second) = two_cpus()?;
    // Here, as a run on this task would keep it from starting the other one.
    let _pinned = Pinned::to(second);
    for met in &MET {
        met.store(0, Relaxed);
    }
    with(0, meet, |a| {
        with(1, meet, |b| {
            on_cpu(first, || p.schedule(&a));
            on_cpu(second, || p.schedule(&b));
            check!(eventually(|| flags(&a).runs() == 1 && flags(&b).runs() == 1));
            check!(flags(&a).found.load(Relaxed) == 1 && flags(&b).found.load(Relaxed) == 1);
            Ok(())
        })
    })
}

// ---- Scheduling. ----

fn scheduled_twice_before_it_runs_it_runs_once(p: Priority) -> Verdict {
    with((), nothing, |t| {
        for (n, cpu) in online_cpus().enumerate() {
            let _pinned = Pinned::to(cpu);
            // Interrupts are off in there, so that nothing runs between the two.
            on_cpu(cpu, || {
                p.schedule(&t);
                p.schedule(&t);
            });
            check!(eventually(|| flags(&t).runs() > n as i32));
            flush()?;
            check!(flags(&t).runs() == n as i32 + 1);
        }
        Ok(())
    })
}

fn scheduled_twice_while_disabled_it_runs_once(p: Priority) -> Verdict {
    with((), nothing, |t| {
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

/// Holds its first run until it is told to go on.
fn hold_the_first_run<S>(flags: &Flags, _: &mut S, _: &TaskletContext<'_>) {
    if flags.begun.load(Relaxed) == 1 {
        spin_until(|| flags.go.load(Relaxed) == 1);
    }
}

fn scheduled_while_it_runs_it_runs_again(p: Priority) -> Verdict {
    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    with((), hold_the_first_run, |t| {
        on_cpu(there, || p.schedule(&t));
        check!(eventually(|| flags(&t).begun.load(Relaxed) == 1));
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

fn it_reschedules_itself(p: Priority) -> Verdict {
    fn run(flags: &Flags, p: &mut Priority, cx: &TaskletContext<'_>) {
        if flags.begun.load(Relaxed) < 100 {
            p.reschedule(cx);
        }
    }

    with(p, run, |t| {
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() == 100));
        flush()?;
        check!(flags(&t).runs() == 100);
        Ok(())
    })
}

fn it_reschedules_itself_at_the_other_priority(p: Priority) -> Verdict {
    fn run(flags: &Flags, p: &mut Priority, cx: &TaskletContext<'_>) {
        *p = if *p == Normal { Hi } else { Normal };
        if flags.begun.load(Relaxed) < 100 {
            p.reschedule(cx);
        }
    }

    with(p, run, |t| {
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() == 100));
        flush()?;
        check!(flags(&t).runs() == 100);
        Ok(())
    })
}

/// The order in which tasklets ran.
static TURN: Atomic<i32> = Atomic::new(0);

fn take_a_turn(flags: &Flags, _: &mut (), _: &TaskletContext<'_>) {
    flags.found.store(TURN.fetch_add(1, Relaxed), Relaxed);
}

/// Schedules two tasklets with interrupts off, and tells whether the second ran first.
fn overtakes(
    cpu: u32,
    first: impl Fn(&Tasklet<Probe<()>>) + Sync,
    second: impl Fn(&Tasklet<Probe<()>>) + Sync,
) -> Result<bool, End> {
    let mut overtaken = false;

    with((), take_a_turn, |a| {
        with((), take_a_turn, |b| {
            let _pinned = Pinned::to(cpu);
            on_cpu(cpu, || {
                first(&a);
                second(&b);
            });
            check!(eventually(|| flags(&a).runs() == 1 && flags(&b).runs() == 1));
            overtaken = flags(&b).found.load(Relaxed) < flags(&a).found.load(Relaxed);
            Ok(())
        })
    })?;
    Ok(overtaken)
}

fn high_priority_runs_before_normal() -> Verdict {
    for cpu in online_cpus() {
        check!(overtakes(cpu, |a| a.schedule(), |b| b.hi_schedule())?);
        check!(!overtakes(cpu, |a| a.hi_schedule(), |b| b.schedule())?);
        check!(!overtakes(cpu, |a| a.schedule(), |b| b.schedule())?);
        check!(!overtakes(cpu, |a| a.hi_schedule(), |b| b.hi_schedule())?);
    }
    Ok(())
}

fn the_first_schedule_decides_the_priority() -> Verdict {
    for cpu in online_cpus() {
        check!(overtakes(
            cpu,
            |a| {
                a.schedule();
                a.hi_schedule();
            },
            |b| b.hi_schedule()
        )?);
        check!(!overtakes(
            cpu,
            |a| {
                a.hi_schedule();
                a.schedule();
            },
            |b| b.hi_schedule()
        )?);
    }
    Ok(())
}

/// Scheduled by an interrupt, it first runs at that interrupt's exit. As it reschedules itself, it
/// must go on in ksoftirqd before the eleventh pass, so that the interrupted task goes on, too.
fn a_self_rescheduler_moves_to_ksoftirqd_within_ten_passes(p: Priority) -> Verdict {
    /// The passes outside of ksoftirqd, whether one was inside, and the priority.
    type Seen = (u32, bool, Priority);
    /// A guard: on a slow machine one interrupt may follow the other.
    const MOST: i32 = 100_000;

    fn run(flags: &Flags, (outside, inside, p): &mut Seen, cx: &TaskletContext<'_>) {
        let comm = context::Context::current();

        *inside = comm.comm().to_bytes().starts_with(b"ksoftirqd/");
        if *inside || flags.begun.load(Relaxed) == MOST {
            flags.found.store(1, Relaxed);
        } else {
            *outside += 1;
            p.reschedule(cx);
        }
    }

    if is_rt() {
        return Err(End::Skipped(
            "on PREEMPT_RT an interrupt's exit only wakes a thread",
        ));
    }
    let mut within_ten = 0;
    for (n, cpu) in online_cpus().cycle().take(2_000).enumerate() {
        // Not each time: another interrupt on the way adds ten passes of its own.
        if n >= 20 && within_ten > 0 {
            break;
        }
        with((0, false, p), run, |mut t| {
            on_cpu(cpu, || p.schedule(&t));
            check!(eventually(|| flags(&t).found.load(Relaxed) == 1));
            let (outside, inside, _) = *t.as_mut().kill();
            check!(inside);
            within_ten += i32::from((1..=10).contains(&outside));
            Ok(())
        })?;
    }
    check!(within_ten > 0);
    Ok(())
}

// ---- Disabling. ----

fn it_runs_once_enabled_as_often_as_disabled(p: Priority) -> Verdict {
    with((), nothing, |t| {
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

/// Once it is told that somebody disables it, it takes its time, and then says that it has ended.
fn end_late(flags: &Flags, _: &mut (), _: &TaskletContext<'_>) {
    spin_until(|| flags.go.load(Relaxed) == 1);
    udelay(Delta::from_millis(3));
    flags.found.store(1, Relaxed);
}

/// Runs `test`, with the number of another CPU, while a tasklet with the callback `run` is in its
/// first run there.
fn while_running(
    p: Priority,
    run: fn(&Flags, &mut (), &TaskletContext<'_>),
    test: impl FnOnce(Probed<'_, ()>, u32) -> Verdict,
) -> Verdict {
    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    with((), run, |t| {
        on_cpu(there, || p.schedule(&t));
        check!(eventually(|| flags(&t).begun.load(Relaxed) == 1));
        test(t, there)
    })
}

fn disable_waits_for_a_running_callback(p: Priority) -> Verdict {
    while_running(p, end_late, |t, _| {
        flags(&t).go.store(1, Relaxed);
        let disabled = t.disable();
        check!(flags(&t).found.load(Relaxed) == 1);
        disabled.enable();
        Ok(())
    })
}

fn disable_mut_waits_for_a_running_callback(p: Priority) -> Verdict {
    while_running(p, end_late, |mut t, _| {
        flags(&t).go.store(1, Relaxed);
        t.as_mut().disable_mut().enable();
        check!(flags(&t).found.load(Relaxed) == 1);
        Ok(())
    })
}

fn disable_mut_waits_although_a_guard_was_leaked(p: Priority) -> Verdict {
    while_running(p, end_late, |mut t, _| {
        core::mem::forget(t.disable_nosync());
        flags(&t).go.store(1, Relaxed);
        t.as_mut().disable_mut().enable();
        check!(flags(&t).found.load(Relaxed) == 1);
        Ok(())
    })
}

fn disable_nosync_does_not_wait_until_asked_to(p: Priority) -> Verdict {
    while_running(p, end_late, |t, _| {
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
    struct ScheduleOther<'a, 'b>(&'a Probed<'b, u32>, Priority);

    impl TaskletHandler for ScheduleOther<'_, '_> {
        type State = ();

        fn run(self: Pin<&Self>, (): &mut (), _: &TaskletContext<'_>) {
            self.1.schedule(self.0);
        }
    }

    with(0, count_in_state, |mut other| {
        Tasklet::scope(ScheduleOther(&other, p), (), |t| {
            p.schedule(&t);
            check!(eventually(|| flags(&other).runs() == 1));
            Ok(())
        })??;
        check!(*other.as_mut().kill() == 1);
        Ok(())
    })
}

fn a_tasklet_made_disabled_runs_once_that_is_released(p: Priority) -> Verdict {
    let tasklet = KBox::pin_init(Tasklet::new_disabled(Probe::new(nothing), ()), GFP_KERNEL)?;
    let flags = &tasklet.as_ref().handler().get_ref().flags;

    p.schedule(&tasklet);
    flush()?;
    check!(flags.runs() == 0);
    let initial = tasklet.initial_disable();
    check!(initial.is_some() && tasklet.initial_disable().is_none());
    drop(initial);
    check!(eventually(|| flags.runs() == 1));
    Ok(())
}

fn a_static_runs_through_the_one_handle(p: Priority) -> Verdict {
    static ENABLED: [StaticTasklet<Probe<()>>; 2] =
        [const { StaticTasklet::new(Probe::new(nothing), ()) }; 2];

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

fn a_static_that_nobody_took_is_just_dropped(_: Priority) -> Verdict {
    let neighbour = KBox::pin_init(Tasklet::new(Probe::new(nothing), ()), GFP_KERNEL)?;
    drop(StaticTasklet::new(Probe::new(nothing), ()));
    drop(neighbour);
    Ok(())
}

fn a_static_made_disabled_runs_once_that_is_released(p: Priority) -> Verdict {
    static DISABLED: [StaticTasklet<Probe<u32>>; 2] =
        [const { StaticTasklet::new_disabled(Probe::new(count_in_state), 0) }; 2];

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

/// Takes so long that a kill that does not wait would be back before the end.
fn run_long<S>(_: &Flags, _: &mut S, _: &TaskletContext<'_>) {
    udelay(Delta::from_millis(3));
}

fn kill_waits_for_a_scheduled_run(p: Priority) -> Verdict {
    with((), run_long, |mut t| {
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
fn kill_waits_for_a_run_that_has_to_wait(p: Priority) -> Verdict {
    while_running(p, end_late, |holder, there| {
        with((), nothing, |mut t| {
            on_cpu(there, || p.schedule(&t));
            check!(flags(&t).runs() == 0);
            flags(&holder).go.store(1, Relaxed);
            t.as_mut().kill();
            check!(flags(&t).runs() == 1);
            Ok(())
        })
    })
}

fn run_for_ever(_: &Flags, p: &mut Priority, cx: &TaskletContext<'_>) {
    p.reschedule(cx);
}

/// The killer is on the CPU of the tasklet: it gets to run only between two passes of the softirqs,
/// when the tasklet is always scheduled.
fn kill_ends_one_that_reschedules_itself_for_ever(p: Priority) -> Verdict {
    for cpu in online_cpus() {
        let _pinned = Pinned::to(cpu);

        with(p, run_for_ever, |mut t| {
            p.schedule(&t);
            check!(eventually(|| flags(&t).runs() > 100));
            t.as_mut().kill();
            let runs = flags(&t).runs();
            flush()?;
            check!(flags(&t).runs() == runs);
            Ok(())
        })?;
    }
    Ok(())
}

fn after_kill_it_can_be_scheduled_and_reschedule_itself_again(p: Priority) -> Verdict {
    with(p, run_for_ever, |mut t| {
        for _ in 0..10 {
            let runs = flags(&t).runs();
            p.schedule(&t);
            check!(eventually(|| flags(&t).runs() > runs + 100));
            t.as_mut().kill();
        }
        Ok(())
    })
}

fn kill_discards_the_run_of_a_disabled_one(p: Priority) -> Verdict {
    with((), nothing, |mut t| {
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
    let mut tasklet = KBox::pin_init(Tasklet::new_disabled(Probe::new(nothing), ()), GFP_KERNEL)?;

    p.schedule(&tasklet);
    tasklet.as_mut().kill();
    check!(tasklet.initial_disable().is_none());
    p.schedule(&tasklet);
    let flags = &tasklet.as_ref().handler().get_ref().flags;
    check!(eventually(|| flags.runs() == 1));
    Ok(())
}

/// The runs of all tasklets that count themselves here.
static RUNS: Atomic<i32> = Atomic::new(0);

fn count_in_static<S>(_: &Flags, _: &mut S, _: &TaskletContext<'_>) {
    RUNS.add(1, Relaxed);
}

fn drop_discards_the_run_of_a_disabled_one(p: Priority) -> Verdict {
    let tasklet = KBox::pin_init(Tasklet::new(Probe::new(count_in_static), ()), GFP_KERNEL)?;

    RUNS.store(0, Relaxed);
    core::mem::forget(tasklet.disable());
    p.schedule(&tasklet);
    flush()?;
    drop(tasklet);
    check!(RUNS.load(Relaxed) == 0);
    Ok(())
}

fn a_leaked_guard_does_not_stop_the_drop_of_a_running_one(p: Priority) -> Verdict {
    with(p, run_for_ever, |t| {
        p.schedule(&t);
        check!(eventually(|| flags(&t).runs() > 100));
        core::mem::forget(t.disable_nosync());
        Ok(())
    })
}

/// The callback uses what the drop frees, until its very end.
fn drop_while_it_runs_on_another_cpu_waits(p: Priority) -> Verdict {
    static BEGUN: Atomic<i32> = Atomic::new(0);

    fn run(_: &Flags, data: &mut KBox<u64>, _: &TaskletContext<'_>) {
        BEGUN.store(1, Relaxed);
        for _ in 0..300 {
            udelay(Delta::from_micros(10));
            **data += 1;
        }
        RUNS.store(**data as i32, Relaxed);
    }

    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    for _ in 0..20 {
        let data = KBox::new(0, GFP_KERNEL).map_err(Error::from)?;
        let tasklet = KBox::pin_init(Tasklet::new(Probe::new(run), data), GFP_KERNEL)?;

        BEGUN.store(0, Relaxed);
        RUNS.store(0, Relaxed);
        on_cpu(there, || p.schedule(&tasklet));
        check!(spin_until(|| BEGUN.load(Relaxed) == 1));
        drop(tasklet);
        check!(RUNS.load(Relaxed) == 300);
    }
    Ok(())
}

fn ten_thousand_are_made_scheduled_and_dropped_on_every_cpu_at_once(p: Priority) -> Verdict {
    static FAILED: Atomic<i32> = Atomic::new(0);
    const CYCLES: i32 = 10_000;

    RUNS.store(0, Relaxed);
    FAILED.store(0, Relaxed);
    let each = CYCLES / online_cpus().count() as i32;
    on_every_cpu(|| {
        for _ in 0..each {
            match KBox::pin_init(Tasklet::new(Probe::new(count_in_static), ()), GFP_KERNEL) {
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

fn kill_hands_the_state_back(p: Priority) -> Verdict {
    with(0, count_in_state, |mut t| {
        for n in 1..=100 {
            p.schedule(&t);
            let runs = t.as_mut().kill();
            check!(*runs == 2 * n - 1);
            *runs += 1;
        }
        Ok(())
    })
}

fn disable_mut_lends_the_state(p: Priority) -> Verdict {
    with(0, count_in_state, |mut t| {
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
    with(0, count_in_state, |mut t| {
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

// ---- The CPU goes away. ----

/// Counts itself, notes its CPU, and goes on for ever if it is to.
fn run_where(flags: &Flags, p: &mut Option<Priority>, cx: &TaskletContext<'_>) {
    flags.found.store(CpuId::current().as_u32() as i32, Relaxed);
    if let Some(p) = p {
        p.reschedule(cx);
    }
}

/// A CPU that stays, and one that can go.
fn two_cpus_one_removable() -> Result<(u32, u32), End> {
    let (here, there) = two_cpus()?;

    match Offline::take(there) {
        Ok(_) => Ok((here, there)),
        Err(_) => Err(End::Skipped("no CPU can be unplugged")),
    }
}

fn scheduled_on_a_cpu_that_goes_offline_it_runs_once(p: Priority) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    for _ in 0..5 {
        with(None, run_where, |t| {
            on_cpu(there, || p.schedule(&t));
            let _offline = Offline::take(there)?;
            check!(eventually(|| flags(&t).runs() == 1));
            flush()?;
            check!(flags(&t).runs() == 1);
            Ok(())
        })?;
    }
    Ok(())
}

/// It is always scheduled, so it is when the CPU dies, too: `takeover_tasklets` moves it.
fn rescheduled_on_a_cpu_that_goes_offline_it_moves_to_another(p: Priority) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    with(Some(p), run_where, |mut t| {
        on_cpu(there, || p.schedule(&t));
        check!(eventually(|| flags(&t).runs() > 100));
        check!(flags(&t).found.load(Relaxed) == there as i32);
        {
            let _offline = Offline::take(there)?;
            let runs = flags(&t).runs();
            check!(eventually(|| flags(&t).runs() > runs + 100));
            check!(flags(&t).found.load(Relaxed) == here as i32);
        }
        // It stays where it is when the CPU comes back, and can be killed.
        let runs = flags(&t).runs();
        check!(eventually(|| flags(&t).runs() > runs + 100));
        check!(flags(&t).found.load(Relaxed) == here as i32);
        t.as_mut().kill();
        Ok(())
    })
}

fn disabled_on_a_cpu_that_goes_offline_it_runs_once_enabled(p: Priority) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    with(None, run_where, |t| {
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

/// The first run goes on well into the unplugging, which waits for it; the second one is left.
fn running_on_a_cpu_that_goes_offline_it_ends_there_and_runs_again(p: Priority) -> Verdict {
    fn run(flags: &Flags, p: &mut Priority, cx: &TaskletContext<'_>) {
        flags.found.store(CpuId::current().as_u32() as i32, Relaxed);
        if flags.begun.load(Relaxed) == 1 {
            spin_until(|| flags.go.load(Relaxed) == 1);
            udelay(Delta::from_micros(5_000));
            p.reschedule(cx);
        }
    }

    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    with(p, run, |t| {
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
        runs_in_softirq_context_with_interrupts_enabled,
        runs_on_the_cpu_that_scheduled_it,
        never_runs_twice_at_the_same_time,
        different_tasklets_run_at_the_same_time,
        scheduled_twice_before_it_runs_it_runs_once,
        scheduled_twice_while_disabled_it_runs_once,
        scheduled_while_it_runs_it_runs_again,
        it_reschedules_itself,
        it_reschedules_itself_at_the_other_priority,
        a_self_rescheduler_moves_to_ksoftirqd_within_ten_passes,
        it_runs_once_enabled_as_often_as_disabled,
        disable_waits_for_a_running_callback,
        disable_mut_waits_for_a_running_callback,
        disable_mut_waits_although_a_guard_was_leaked,
        disable_nosync_does_not_wait_until_asked_to,
        a_handler_may_borrow,
        a_tasklet_made_disabled_runs_once_that_is_released,
        a_static_runs_through_the_one_handle,
        a_static_that_nobody_took_is_just_dropped,
        a_static_made_disabled_runs_once_that_is_released,
        kill_waits_for_a_scheduled_run,
        kill_waits_for_a_run_that_has_to_wait,
        kill_ends_one_that_reschedules_itself_for_ever,
        after_kill_it_can_be_scheduled_and_reschedule_itself_again,
        kill_discards_the_run_of_a_disabled_one,
        kill_enables_one_that_was_made_disabled,
        drop_discards_the_run_of_a_disabled_one,
        a_leaked_guard_does_not_stop_the_drop_of_a_running_one,
        drop_while_it_runs_on_another_cpu_waits,
        ten_thousand_are_made_scheduled_and_dropped_on_every_cpu_at_once,
        kill_hands_the_state_back,
        disable_mut_lends_the_state,
        a_leaked_guard_keeps_it_disabled_after_disable_mut,
        scheduled_on_a_cpu_that_goes_offline_it_runs_once,
        rescheduled_on_a_cpu_that_goes_offline_it_moves_to_another,
        disabled_on_a_cpu_that_goes_offline_it_runs_once_enabled,
        running_on_a_cpu_that_goes_offline_it_ends_there_and_runs_again,
    ],
    once: [
        high_priority_runs_before_normal,
        the_first_schedule_decides_the_priority,
    ]
}

fn report(number: usize, file: &str, name: &str, priority: &str, verdict: Verdict) {
    match verdict {
        Ok(()) => pr_info!("ok {} {}{}{}\n", number, file, name, priority),
        Err(End::Skipped(why)) => {
            pr_info!(
                "ok {} {}{}{} # SKIP {}\n",
                number,
                file,
                name,
                priority,
                why
            )
        }
        Err(End::Failed(what)) => {
            pr_info!("# {}\n", what);
            pr_info!("not ok {} {}{}{}\n", number, file, name, priority);
        }
    }
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
