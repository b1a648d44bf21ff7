// SPDX-License-Identifier: GPL-2.0

//! What `bh_work.rs` promises, proved in a running kernel.

use core::pin::Pin;
use kernel::{
    cpu::CpuId,
    prelude::*,
    sync::{
        atomic::{ordering::Relaxed, Atomic},
        Completion,
    },
    time::{delay::udelay, Delta},
};

use crate::{
    bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler},
    context::Context,
    env::{self, on_cpu, on_every_cpu, online_cpus, Offline, Pinned},
    eventually, flush, spin_until,
    tasklet_wrap::{Tasklet, TaskletContext},
    two_cpus, two_cpus_one_removable, End, Flags,
    Priority::{self, Hi, Normal},
    Probe, Verdict,
};

/// A callback for a test.
type Run<S> = fn(&Flags, &mut S, &BhWorkContext<'_>);

/// An item's handler for a test: the callback is a function, with flags and a state.
struct Item<S> {
    flags: Flags,
    run: Run<S>,
}

impl<S: Send + 'static> BhWorkHandler for Item<S> {
    type State = S;

    fn run(self: Pin<&Self>, state: &mut S, cx: &BhWorkContext<'_>) {
        let this = self.get_ref();

        this.flags.begun.add(1, Relaxed);
        (this.run)(&this.flags, state, cx);
        this.flags.ended.add(1, Relaxed);
    }
}

type Work<'a, S> = Pin<&'a mut BhWork<Item<S>>>;

fn flags<'a, S: Send + 'static>(work: &'a Work<'_, S>) -> &'a Flags {
    &work.as_ref().handler().get_ref().flags
}

fn queue_for(p: Priority) -> BhQueue {
    match p {
        Normal => BhQueue::Normal,
        Hi => BhQueue::Highpri,
    }
}

/// Runs `test` with an item whose callback is `run`.
fn with<S: Send + 'static>(
    p: Priority,
    state: S,
    run: Run<S>,
    test: impl FnOnce(Work<'_, S>) -> Verdict,
) -> Verdict {
    let flags = Flags::new();

    BhWork::scope(queue_for(p), Item { flags, run }, state, test)?
}

/// A callback that does nothing but be counted.
fn nothing<S>(_: &Flags, _: &mut S, _: &BhWorkContext<'_>) {}

/// A callback that counts itself.
fn count_in_state(_: &Flags, runs: &mut u32, _: &BhWorkContext<'_>) {
    *runs += 1;
}

/// The runs of all items that count themselves here.
static RUNS: Atomic<i32> = Atomic::new(0);

fn count_in_static<S>(_: &Flags, _: &mut S, _: &BhWorkContext<'_>) {
    RUNS.add(1, Relaxed);
}

// ---- The context of a run. ----

fn runs_in_softirq_context_with_interrupts_enabled(p: Priority) -> Verdict {
    fn run(flags: &Flags, _: &mut (), _: &BhWorkContext<'_>) {
        let right = env::in_serving_softirq()
            && Context::current().in_interrupt
            && !env::in_hardirq()
            && !env::irqs_disabled();

        flags.found.store(i32::from(right), Relaxed);
    }

    with(p, (), run, |w| {
        w.queue();
        check!(eventually(|| flags(&w).runs() == 1));
        check!(flags(&w).found.load(Relaxed) == 1);
        Ok(())
    })
}

fn find_cpu(flags: &Flags, _: &mut (), _: &BhWorkContext<'_>) {
    flags.found.store(CpuId::current().as_u32() as i32, Relaxed);
}

fn runs_on_the_cpu_that_queued_it(p: Priority) -> Verdict {
    with(p, (), find_cpu, |w| {
        for (n, cpu) in online_cpus().enumerate() {
            on_cpu(cpu, || {
                w.queue();
            });
            check!(eventually(|| flags(&w).runs() == n as i32 + 1));
            check!(flags(&w).found.load(Relaxed) == cpu as i32);
        }
        Ok(())
    })
}

/// Both CPUs queue it all the time, so that one often finds it running on the other.
fn never_runs_twice_at_the_same_time(p: Priority) -> Verdict {
    /// How often each of the first two CPUs ran it.
    static RAN: [Atomic<i32>; 2] = [const { Atomic::new(0) }; 2];

    fn run(flags: &Flags, _: &mut (), _: &BhWorkContext<'_>) {
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

    with(p, (), run, |mut w| {
        for _ in 0..500 {
            for cpu in online_cpus() {
                on_cpu(cpu, || {
                    w.queue();
                });
            }
        }
        // Where the CPUs of a guest take turns, one of them may find it pending on the other each
        // time. So each gets it to itself, too.
        w.as_mut().cancel();
        for cpu in online_cpus() {
            for _ in 0..10 {
                let runs = flags(&w).runs();
                on_cpu(cpu, || {
                    w.queue();
                });
                check!(eventually(|| flags(&w).runs() > runs));
                w.as_mut().cancel();
            }
        }
        check!(flags(&w).found.load(Relaxed) == 0);
        check!(RAN.iter().all(|ran| ran.load(Relaxed) >= 10));
        Ok(())
    })
}

fn different_items_run_at_the_same_time(p: Priority) -> Verdict {
    static MET: [Atomic<i32>; 2] = [const { Atomic::new(0) }; 2];

    fn meet(flags: &Flags, me: &mut usize, _: &BhWorkContext<'_>) {
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
    with(p, 0, meet, |a| {
        with(p, 1, meet, |b| {
            on_cpu(first, || {
                a.queue();
            });
            on_cpu(second, || {
                b.queue();
            });
            check!(eventually(|| flags(&a).runs() == 1 && flags(&b).runs() == 1));
            check!(flags(&a).found.load(Relaxed) == 1 && flags(&b).found.load(Relaxed) == 1);
            Ok(())
        })
    })
}

// ---- Queueing. ----

fn queued_twice_before_it_runs_it_runs_once(p: Priority) -> Verdict {
    static QUEUED: Atomic<i32> = Atomic::new(0);

    with(p, (), nothing, |w| {
        for (n, cpu) in online_cpus().enumerate() {
            let _pinned = Pinned::to(cpu);
            // Interrupts are off in there, so that nothing runs between the two.
            on_cpu(cpu, || {
                QUEUED.store(i32::from(w.queue()) + 2 * i32::from(w.queue()), Relaxed);
            });
            check!(QUEUED.load(Relaxed) == 1);
            check!(eventually(|| flags(&w).runs() > n as i32));
            flush()?;
            check!(flags(&w).runs() == n as i32 + 1);
        }
        Ok(())
    })
}

/// Holds its first run until it is told to go on, and finds out where it runs.
fn hold_the_first_run(flags: &Flags, state: &mut (), cx: &BhWorkContext<'_>) {
    if flags.begun.load(Relaxed) == 1 {
        spin_until(|| flags.go.load(Relaxed) == 1);
    }
    find_cpu(flags, state, cx);
}

/// Runs `test`, with the number of another CPU, while an item is in its first run there.
fn while_running(
    p: Priority,
    run: Run<()>,
    test: impl FnOnce(Work<'_, ()>, u32) -> Verdict,
) -> Verdict {
    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    with(p, (), run, |w| {
        on_cpu(there, || {
            w.queue();
        });
        check!(eventually(|| flags(&w).begun.load(Relaxed) == 1));
        test(w, there)
    })
}

fn queued_while_it_runs_it_runs_again_where_it_is_running(p: Priority) -> Verdict {
    while_running(p, hold_the_first_run, |w, there| {
        check!(w.queue());
        check!(!w.queue());
        // Whatever is to run here has run, but for this one, which would be running twice.
        flush()?;
        check!(flags(&w).begun.load(Relaxed) == 1);
        flags(&w).go.store(1, Relaxed);
        check!(eventually(|| flags(&w).runs() == 2));
        check!(flags(&w).found.load(Relaxed) == there as i32);
        flush()?;
        check!(flags(&w).runs() == 2);
        Ok(())
    })
}

fn it_queues_itself(p: Priority) -> Verdict {
    fn run(flags: &Flags, queued: &mut i32, cx: &BhWorkContext<'_>) {
        if flags.begun.load(Relaxed) < 100 {
            // The second call finds that the first one did it.
            *queued += i32::from(cx.queue()) + 1000 * i32::from(cx.queue());
        }
    }

    with(p, 0, run, |mut w| {
        w.queue();
        check!(eventually(|| flags(&w).runs() == 100));
        flush()?;
        check!(flags(&w).runs() == 100);
        check!(*w.as_mut().cancel() == 99);
        Ok(())
    })
}

/// The order in which things ran.
static TURN: Atomic<i32> = Atomic::new(0);

fn take_a_turn(flags: &Flags, _: &mut (), _: &BhWorkContext<'_>) {
    flags.found.store(TURN.fetch_add(1, Relaxed), Relaxed);
}

/// Queues two items with interrupts off, and tells whether the second ran first.
fn overtakes(cpu: u32, first: Priority, second: Priority) -> Result<bool, End> {
    let mut overtaken = false;

    with(first, (), take_a_turn, |a| {
        with(second, (), take_a_turn, |b| {
            let _pinned = Pinned::to(cpu);
            on_cpu(cpu, || {
                a.queue();
                b.queue();
            });
            check!(eventually(|| flags(&a).runs() == 1 && flags(&b).runs() == 1));
            overtaken = flags(&b).found.load(Relaxed) < flags(&a).found.load(Relaxed);
            Ok(())
        })
    })?;
    Ok(overtaken)
}

fn highpri_runs_before_normal() -> Verdict {
    for cpu in online_cpus() {
        check!(overtakes(cpu, Normal, Hi)?);
        check!(!overtakes(cpu, Hi, Normal)?);
        check!(!overtakes(cpu, Normal, Normal)?);
        check!(!overtakes(cpu, Hi, Hi)?);
    }
    Ok(())
}

fn runs_before_tasklets_of_its_priority(p: Priority) -> Verdict {
    fn take_a_turn_too(flags: &Flags, _: &mut (), _: &TaskletContext<'_>) {
        flags.found.store(TURN.fetch_add(1, Relaxed), Relaxed);
    }

    for cpu in online_cpus() {
        with(p, (), take_a_turn, |w| {
            Tasklet::scope(Probe::new(take_a_turn_too), (), |t| {
                let _pinned = Pinned::to(cpu);
                on_cpu(cpu, || {
                    p.schedule(&t);
                    w.queue();
                });
                check!(eventually(
                    || flags(&w).runs() == 1 && crate::flags(&t).runs() == 1
                ));
                let tasklet = crate::flags(&t).found.load(Relaxed);
                check!(flags(&w).found.load(Relaxed) < tasklet);
                Ok(())
            })?
        })?;
    }
    Ok(())
}

// ---- Cancelling. ----

/// Once it is told that somebody cancels it, it takes its time, and then says that it has ended.
fn end_late(flags: &Flags, _: &mut (), _: &BhWorkContext<'_>) {
    spin_until(|| flags.go.load(Relaxed) == 1);
    udelay(Delta::from_millis(3));
    flags.found.store(1, Relaxed);
}

fn cancel_waits_for_a_running_callback(p: Priority) -> Verdict {
    while_running(p, end_late, |mut w, _| {
        flags(&w).go.store(1, Relaxed);
        w.as_mut().cancel();
        check!(flags(&w).found.load(Relaxed) == 1);
        Ok(())
    })
}

/// Runs `test` while another item keeps that CPU's queue from going on, and until all is run that
/// was queued there.
fn while_held(p: Priority, test: impl FnOnce(u32) -> Verdict) -> Verdict {
    while_running(p, hold_the_first_run, |holder, there| {
        test(there)?;
        check!(flags(&holder).runs() == 0);
        // Behind everything that the test left in the queue.
        with(p, (), nothing, |last| {
            on_cpu(there, || {
                last.queue();
            });
            flags(&holder).go.store(1, Relaxed);
            check!(eventually(|| flags(&last).runs() == 1));
            Ok(())
        })
    })
}

fn cancel_discards_a_pending_run(p: Priority) -> Verdict {
    with(p, 0, count_in_state, |mut w| {
        while_held(p, |there| {
            on_cpu(there, || {
                w.queue();
            });
            check!(!w.queue());
            check!(*w.as_mut().cancel() == 0);
            Ok(())
        })?;
        check!(flags(&w).begun.load(Relaxed) == 0);
        Ok(())
    })
}

fn the_end_of_the_scope_discards_a_pending_run(p: Priority) -> Verdict {
    RUNS.store(0, Relaxed);
    while_held(p, |there| {
        with(p, (), count_in_static, |w| {
            on_cpu(there, || {
                w.queue();
            });
            Ok(())
        })
    })?;
    check!(RUNS.load(Relaxed) == 0);
    Ok(())
}

fn cancel_of_one_that_was_never_queued_is_harmless(p: Priority) -> Verdict {
    with(p, 0, count_in_state, |mut w| {
        check!(*w.as_mut().cancel() == 0);
        check!(*w.as_mut().cancel() == 0);
        check!(w.queue());
        check!(eventually(|| flags(&w).runs() == 1));
        check!(*w.as_mut().cancel() == 1);
        Ok(())
    })
}

fn run_for_ever(_: &Flags, _: &mut (), cx: &BhWorkContext<'_>) {
    cx.queue();
}

/// On the CPU of the item, its canceller runs between two passes of the softirqs only, when the
/// item is always pending; from another CPU it finds the item running, too.
fn cancel_ends_one_that_queues_itself_for_ever(p: Priority) -> Verdict {
    for canceller in online_cpus() {
        let _pinned = Pinned::to(canceller);

        for cpu in online_cpus() {
            with(p, (), run_for_ever, |mut w| {
                on_cpu(cpu, || {
                    w.queue();
                });
                check!(eventually(|| flags(&w).runs() > 100));
                w.as_mut().cancel();
                let runs = flags(&w).runs();
                check!(flags(&w).begun.load(Relaxed) == runs);
                flush()?;
                check!(flags(&w).begun.load(Relaxed) == runs);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn the_end_of_the_scope_ends_one_that_queues_itself_for_ever(p: Priority) -> Verdict {
    fn run(_: &Flags, _: &mut (), cx: &BhWorkContext<'_>) {
        RUNS.add(1, Relaxed);
        cx.queue();
    }

    for cpu in online_cpus() {
        RUNS.store(0, Relaxed);
        with(p, (), run, |w| {
            on_cpu(cpu, || {
                w.queue();
            });
            check!(eventually(|| RUNS.load(Relaxed) > 100));
            Ok(())
        })?;
        let runs = RUNS.load(Relaxed);
        flush()?;
        check!(RUNS.load(Relaxed) == runs);
    }
    Ok(())
}

fn after_cancel_it_can_be_queued_and_queue_itself_again(p: Priority) -> Verdict {
    with(p, (), run_for_ever, |mut w| {
        for _ in 0..10 {
            let runs = flags(&w).runs();
            check!(w.queue());
            check!(eventually(|| flags(&w).runs() > runs + 100));
            w.as_mut().cancel();
        }
        Ok(())
    })
}

/// The callback uses what the drop frees, until its very end.
fn the_end_of_the_scope_waits_for_a_run_on_another_cpu(p: Priority) -> Verdict {
    fn run(flags: &Flags, data: &mut KBox<u64>, _: &BhWorkContext<'_>) {
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
        with(p, data, run, |w| {
            on_cpu(there, || {
                w.queue();
            });
            check!(spin_until(|| flags(&w).begun.load(Relaxed) == 1));
            Ok(())
        })?;
        check!(RUNS.load(Relaxed) == 300);
    }
    Ok(())
}

/// Some are cancelled while they are pending, some while they run, and each eighth when it has run.
fn five_thousand_are_made_queued_and_cancelled_on_every_cpu_at_once(p: Priority) -> Verdict {
    static FAILED: Atomic<i32> = Atomic::new(0);
    const CYCLES: i32 = 5_000;

    RUNS.store(0, Relaxed);
    FAILED.store(0, Relaxed);
    on_every_cpu(|| {
        for n in 0..CYCLES {
            let cycle = with(p, 0, count_in_state, |mut w| {
                check!(w.queue());
                if n % 8 == 0 {
                    check!(eventually(|| flags(&w).runs() == 1));
                }
                let runs = *w.as_mut().cancel();
                check!(runs <= 1 && (n % 8 != 0 || runs == 1));
                check!(flags(&w).runs() == runs as i32);
                RUNS.add(runs as i32, Relaxed);
                Ok(())
            });
            if cycle.is_err() {
                FAILED.store(1, Relaxed);
            }
        }
    })?;
    check!(FAILED.load(Relaxed) == 0);
    check!(RUNS.load(Relaxed) >= CYCLES / 8);
    Ok(())
}

// ---- CPUs that go. ----

fn queued_on_a_cpu_that_goes_offline_it_runs_once(p: Priority) -> Verdict {
    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    for _ in 0..5 {
        with(p, (), nothing, |w| {
            on_cpu(there, || {
                w.queue();
            });
            let _offline = Offline::take(there)?;
            check!(eventually(|| flags(&w).runs() == 1));
            flush()?;
            check!(flags(&w).runs() == 1);
            Ok(())
        })?;
    }
    Ok(())
}

/// The last runs are drained by another CPU, or come before the end of the first one.
fn queueing_itself_on_a_cpu_that_goes_offline_it_goes_on(p: Priority) -> Verdict {
    const RUNS: i32 = 20_000;

    fn run(flags: &Flags, _: &mut (), cx: &BhWorkContext<'_>) {
        if flags.begun.load(Relaxed) < RUNS {
            cx.queue();
        }
    }

    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    with(p, (), run, |mut w| {
        on_cpu(there, || {
            w.queue();
        });
        let offline = Offline::take(there)?;
        check!(eventually(|| flags(&w).runs() == RUNS));
        check!(w.queue());
        check!(eventually(|| flags(&w).runs() == RUNS + 1));
        drop(offline);
        w.as_mut().cancel();
        check!(flags(&w).begun.load(Relaxed) == RUNS + 1);
        Ok(())
    })
}

// ---- The state, and the handler. ----

fn cancel_hands_the_state_back(p: Priority) -> Verdict {
    with(p, 0, count_in_state, |mut w| {
        for n in 1..=50 {
            w.queue();
            check!(eventually(|| flags(&w).runs() == n));
            let runs = w.as_mut().cancel();
            check!(*runs == 2 * n as u32 - 1);
            *runs += 1;
        }
        Ok(())
    })
}

/// Whatever fails, what was made before is dropped, and the closure is not called.
fn a_scope_fails_as_its_initialisers_do(p: Priority) -> Verdict {
    type Boxed = BhWork<Item<KBox<i32>>>;

    let state = KBox::new(1, GFP_KERNEL).map_err(Error::from);
    let handler = Ok::<_, Error>(Item {
        flags: Flags::new(),
        run: nothing,
    });
    let mut called = false;

    let result = Boxed::scope(queue_for(p), Err(EBUSY), state, |_| called = true);
    check!(result == Err(EBUSY) && !called);
    let result = Boxed::scope(queue_for(p), handler, Err(EAGAIN), |_| called = true);
    check!(result == Err(EAGAIN) && !called);
    Ok(())
}

// ---- Items that their owner holds. ----

type Boxed<T> = Pin<KBox<BhWork<T>>>;

/// An item in a `KBox` whose callback is `run`.
fn boxed<S: Send + 'static>(queue: BhQueue, state: S, run: Run<S>) -> Result<Boxed<Item<S>>> {
    let flags = Flags::new();

    KBox::pin_init(BhWork::new(queue, Item { flags, run }, state), GFP_KERNEL)
}

fn a_dropped_one_discards_a_pending_run(p: Priority) -> Verdict {
    RUNS.store(0, Relaxed);
    while_held(p, |there| {
        let work = boxed(queue_for(p), (), count_in_static)?;
        on_cpu(there, || {
            work.queue();
        });
        check!(!work.queue());
        Ok(())
    })?;
    check!(RUNS.load(Relaxed) == 0);
    Ok(())
}

fn a_dropped_one_waits_for_a_run_on_another_cpu(p: Priority) -> Verdict {
    fn run(flags: &Flags, _: &mut (), _: &BhWorkContext<'_>) {
        flags.go.store(1, Relaxed);
        udelay(Delta::from_millis(3));
        RUNS.add(flags.go.load(Relaxed), Relaxed);
    }

    let (here, there) = two_cpus()?;
    let _pinned = Pinned::to(here);

    for n in 0..20 {
        if n == 0 {
            RUNS.store(0, Relaxed);
        }
        let work = boxed(queue_for(p), (), run)?;
        on_cpu(there, || {
            work.queue();
        });
        check!(spin_until(|| {
            work.as_ref().handler().get_ref().flags.go.load(Relaxed) == 1
        }));
        drop(work);
        check!(RUNS.load(Relaxed) == n + 1);
    }
    Ok(())
}

fn new_fails_as_its_initialisers_do(p: Priority) -> Verdict {
    let state = KBox::new(1, GFP_KERNEL).map_err(Error::from);
    let handler = Ok::<_, Error>(Item {
        flags: Flags::new(),
        run: nothing::<KBox<i32>>,
    });

    let result = KBox::pin_init(
        BhWork::<Item<KBox<i32>>>::new(queue_for(p), Err(EBUSY), state),
        GFP_KERNEL,
    );
    check!(result.err() == Some(EBUSY));
    let result = KBox::pin_init(
        BhWork::<Item<KBox<i32>>>::new(queue_for(p), handler, Err(EAGAIN)),
        GFP_KERNEL,
    );
    check!(result.err() == Some(EAGAIN));
    Ok(())
}

/// The handler of one item queues another one, which it borrows.
fn a_handler_may_borrow(p: Priority) -> Verdict {
    struct QueueOther<'a, 'b>(&'a Work<'b, u32>);

    impl BhWorkHandler for QueueOther<'_, '_> {
        type State = ();

        fn run(self: Pin<&Self>, (): &mut (), _: &BhWorkContext<'_>) {
            self.0.queue();
        }
    }

    with(p, 0, count_in_state, |mut other| {
        BhWork::scope(queue_for(p), QueueOther(&other), (), |work| {
            work.queue();
            check!(eventually(|| flags(&other).runs() == 1));
            Ok(())
        })??;
        check!(*other.as_mut().cancel() == 1);
        Ok(())
    })
}

// ---- The ordinary queue. ----

/// Sleeps until it is told to go on, and then takes its time.
#[pin_data]
struct Sleeper {
    #[pin]
    begun: Completion,
    #[pin]
    go: Completion,
}

impl BhWorkHandler for Sleeper {
    type State = Option<Context>;

    fn run(self: Pin<&Self>, found: &mut Option<Context>, _: &BhWorkContext<'_>) {
        self.begun.complete_all();
        self.go.wait_for_completion();
        udelay(Delta::from_millis(3));
        *found = Some(Context::current());
    }
}

fn in_process_context_it_may_sleep_and_cancel_waits_for_it() -> Verdict {
    for cpu in online_cpus() {
        let sleeper = pin_init!(Sleeper {
            begun <- Completion::new(),
            go <- Completion::new(),
        });
        let mut work = KBox::pin_init(BhWork::new(BhQueue::Process, sleeper, None), GFP_KERNEL)?;

        on_cpu(cpu, || {
            work.queue();
        });
        let sleeper = work.as_ref().handler().get_ref();
        sleeper.begun.wait_for_completion();
        sleeper.go.complete_all();
        let Some(found) = work.as_mut().cancel() else {
            return Err(End::Failed("cancel did not wait for it"));
        };
        check!(!found.in_interrupt && found.cpu == cpu);
    }
    Ok(())
}

fn in_process_context_cancel_ends_one_that_queues_itself_for_ever() -> Verdict {
    for cpu in online_cpus() {
        let mut work = boxed(BhQueue::Process, (), run_for_ever)?;

        on_cpu(cpu, || {
            work.queue();
        });
        let runs = |work: &Boxed<Item<()>>| work.as_ref().handler().get_ref().flags.runs();
        check!(eventually(|| runs(&work) > 100));
        work.as_mut().cancel();
        let before = runs(&work);
        // Behind whatever is left in the queue of that CPU.
        let last = boxed(BhQueue::Process, (), nothing)?;
        on_cpu(cpu, || {
            last.queue();
        });
        check!(eventually(|| runs(&last) == 1));
        check!(runs(&work) == before);
    }
    Ok(())
}

/// For lockdep they are two classes, so it is not taken for one that waits for itself.
fn in_process_context_one_may_cancel_one_of_another_type() -> Verdict {
    struct CancelOther {
        done: Atomic<i32>,
    }

    impl BhWorkHandler for CancelOther {
        type State = Boxed<Item<u32>>;

        fn run(self: Pin<&Self>, other: &mut Self::State, _: &BhWorkContext<'_>) {
            other.queue();
            other.as_mut().cancel();
            self.done.store(1, Relaxed);
        }
    }

    let other = boxed(BhQueue::Process, 0, count_in_state)?;
    let done = Atomic::new(0);
    let work = KBox::pin_init(
        BhWork::new(BhQueue::Process, CancelOther { done }, other),
        GFP_KERNEL,
    )?;

    work.queue();
    check!(eventually(|| {
        work.as_ref().handler().get_ref().done.load(Relaxed) == 1
    }));
    Ok(())
}

tests! {
    both: [
        runs_in_softirq_context_with_interrupts_enabled,
        runs_on_the_cpu_that_queued_it,
        never_runs_twice_at_the_same_time,
        different_items_run_at_the_same_time,
        queued_twice_before_it_runs_it_runs_once,
        queued_while_it_runs_it_runs_again_where_it_is_running,
        it_queues_itself,
        runs_before_tasklets_of_its_priority,
        cancel_waits_for_a_running_callback,
        cancel_discards_a_pending_run,
        the_end_of_the_scope_discards_a_pending_run,
        cancel_of_one_that_was_never_queued_is_harmless,
        cancel_ends_one_that_queues_itself_for_ever,
        the_end_of_the_scope_ends_one_that_queues_itself_for_ever,
        after_cancel_it_can_be_queued_and_queue_itself_again,
        the_end_of_the_scope_waits_for_a_run_on_another_cpu,
        five_thousand_are_made_queued_and_cancelled_on_every_cpu_at_once,
        queued_on_a_cpu_that_goes_offline_it_runs_once,
        queueing_itself_on_a_cpu_that_goes_offline_it_goes_on,
        cancel_hands_the_state_back,
        a_scope_fails_as_its_initialisers_do,
        a_dropped_one_discards_a_pending_run,
        a_dropped_one_waits_for_a_run_on_another_cpu,
        new_fails_as_its_initialisers_do,
        a_handler_may_borrow,
    ],
    once: [
        in_process_context_it_may_sleep_and_cancel_waits_for_it,
        in_process_context_cancel_ends_one_that_queues_itself_for_ever,
        in_process_context_one_may_cancel_one_of_another_type,
        highpri_runs_before_normal,
    ]
}
