// SPDX-License-Identifier: GPL-2.0

//! Tests, in a running kernel, of what only `bh_work.rs` guarantees.

use core::pin::Pin;
use kernel::{
    prelude::*,
    sync::{
        atomic::{ordering::Relaxed, Atomic},
        Completion,
    },
    time::{delay::udelay, Delta},
};

use crate::{
    bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler},
    common::*,
    context::Context,
    env::{on_cpu, on_every_cpu, online_cpus, Offline, Pinned},
    eventually, flush,
    tasklet_wrap::Tasklet,
    two_cpus_one_removable, End,
    Priority::{self, Hi, Normal},
    Verdict,
};

/// A work item for a test.
type Item<S = u32> = BhWork<Probe<S>>;

impl<S: Send> BhWorkHandler for Probe<S> {
    type State = S;

    fn run(self: Pin<&Self>, state: &mut S, cx: &BhWorkContext<'_>) {
        self.call(state, &|_| Some(cx.queue()));
    }
}

impl<S: Send + 'static> Deferred<S> for Item<S> {
    fn with(
        p: Priority,
        state: S,
        run: Run<S>,
        test: impl FnOnce(Pin<&mut Self>) -> Verdict,
    ) -> Verdict {
        BhWork::scope(queue_for(p), Probe::new(p, run), state, test)?
    }

    fn boxed(p: Priority, state: S, run: Run<S>) -> Result<Pin<KBox<Self>>> {
        boxed(queue_for(p), Probe::new(p, run), state)
    }

    fn flags(self: Pin<&Self>) -> &Flags {
        &self.handler().get_ref().flags
    }

    fn start(&self, _: Priority) -> Option<bool> {
        Some(self.queue())
    }

    fn stop(self: Pin<&mut Self>) -> &mut S {
        self.cancel()
    }
}

fn queue_for(p: Priority) -> BhQueue {
    match p {
        Normal => BhQueue::Normal,
        Hi => BhQueue::Highpri,
    }
}

type Boxed<T> = Pin<KBox<BhWork<T>>>;

fn boxed<T: BhWorkHandler + 'static, E>(
    queue: BhQueue,
    handler: impl PinInit<T, E>,
    state: impl Init<T::State, E>,
) -> Result<Boxed<T>>
where
    Error: From<E>,
{
    KBox::pin_init::<Error>(BhWork::new(queue, handler, state), GFP_KERNEL)
}

// ---- Queueing. ----

fn queued_while_it_runs_it_runs_again_where_it_is_running(p: Priority) -> Verdict {
    while_running(p, hold_the_first_run, |w: Pin<&mut Item>, there| {
        check!(w.queue());
        check!(!w.queue());
        // Everything pending on this CPU runs now. The item must not: it would be running twice.
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

fn runs_before_tasklets_of_its_priority(p: Priority) -> Verdict {
    for cpu in online_cpus() {
        check!(overtakes(
            cpu,
            (p, p),
            |tasklet: &Tasklet<Probe>, item: &Item| {
                tasklet.start(p);
                item.start(p);
            }
        )?);
    }
    Ok(())
}

// ---- Cancelling. ----

fn cancel_waits_for_a_running_callback(p: Priority) -> Verdict {
    while_running(p, end_late, |mut w: Pin<&mut Item>, _| {
        flags(&w).go.store(1, Relaxed);
        w.as_mut().cancel();
        check!(flags(&w).found.load(Relaxed) == 1);
        Ok(())
    })
}

/// Runs `test` while another item blocks the queue of another CPU, whose number `test` gets. Then
/// waits until everything queued there has run.
fn while_held(p: Priority, test: impl FnOnce(u32) -> Verdict) -> Verdict {
    while_running(p, hold_the_first_run, |holder: Pin<&mut Item>, there| {
        test(there)?;
        check!(flags(&holder).runs() == 0);
        // Queued behind everything that the test left there.
        Item::with(p, 0, nothing, |last| {
            on_cpu(there, || last.queue());
            flags(&holder).go.store(1, Relaxed);
            check!(eventually(|| flags(&last).runs() == 1));
            Ok(())
        })
    })
}

fn cancel_discards_a_pending_run(p: Priority) -> Verdict {
    Item::with(p, 0, count_in_state, |mut w| {
        while_held(p, |there| {
            on_cpu(there, || w.queue());
            check!(!w.queue());
            check!(*w.as_mut().cancel() == 0);
            Ok(())
        })?;
        check!(flags(&w).begun.load(Relaxed) == 0);
        Ok(())
    })
}

fn pending_run_is_discarded(p: Priority, owner: Owner) -> Verdict {
    RUNS.store(0, Relaxed);
    while_held(p, |there| {
        owner.lend(p, 0, count_in_static, |w: Pin<&mut Item>| {
            on_cpu(there, || w.queue());
            check!(!w.queue());
            Ok(())
        })
    })?;
    check!(RUNS.load(Relaxed) == 0);
    Ok(())
}

fn cancel_of_one_that_was_never_queued_is_harmless(p: Priority) -> Verdict {
    Item::with(p, 0, count_in_state, |mut w| {
        check!(*w.as_mut().cancel() == 0);
        check!(*w.as_mut().cancel() == 0);
        check!(w.queue());
        check!(eventually(|| flags(&w).runs() == 1));
        check!(*w.as_mut().cancel() == 1);
        Ok(())
    })
}

fn the_end_of_the_scope_ends_one_that_queues_itself_for_ever(p: Priority) -> Verdict {
    fn run(flags: &Flags, _: &mut u32, again: &Again<'_>) {
        RUNS.add(1, Relaxed);
        again(flags.p);
    }

    for cpu in online_cpus() {
        RUNS.store(0, Relaxed);
        Item::with(p, 0, run, |w| {
            on_cpu(cpu, || w.queue());
            check!(eventually(|| RUNS.load(Relaxed) > 100));
            Ok(())
        })?;
        let runs = RUNS.load(Relaxed);
        flush()?;
        check!(RUNS.load(Relaxed) == runs);
    }
    Ok(())
}

/// Some are cancelled while they are pending, some while they run, and every eighth after its run.
fn five_thousand_are_made_queued_and_cancelled_on_every_cpu_at_once(p: Priority) -> Verdict {
    static FAILED: Atomic<i32> = Atomic::new(0);
    const CYCLES: i32 = 5_000;

    RUNS.store(0, Relaxed);
    FAILED.store(0, Relaxed);
    on_every_cpu(|| {
        for n in 0..CYCLES {
            let cycle = Item::with(p, 0, count_in_state, |mut w| {
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

// ---- CPU hotplug. ----

/// Another CPU drains the last runs, unless they end before the CPU is offline.
fn queueing_itself_on_a_cpu_that_goes_offline_it_keeps_running(p: Priority) -> Verdict {
    const RUNS: i32 = 20_000;

    fn run(flags: &Flags, _: &mut u32, again: &Again<'_>) {
        if flags.begun.load(Relaxed) < RUNS {
            again(flags.p);
        }
    }

    let (here, there) = two_cpus_one_removable()?;
    let _pinned = Pinned::to(here);

    Item::with(p, 0, run, |mut w| {
        on_cpu(there, || w.queue());
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

/// If one initialiser fails, the value of the other is dropped, and the closure is not called.
fn a_scope_returns_the_error_of_an_initialiser(p: Priority) -> Verdict {
    let state = KBox::new(1, GFP_KERNEL).map_err(Error::from);
    let handler = Ok::<_, Error>(Probe::new(p, nothing));
    let mut called = false;

    let result =
        BhWork::<Probe<KBox<u32>>>::scope(queue_for(p), Err(EBUSY), state, |_| called = true);
    check!(result == Err(EBUSY) && !called);
    let result =
        BhWork::<Probe<KBox<u32>>>::scope(queue_for(p), handler, Err(EAGAIN), |_| called = true);
    check!(result == Err(EAGAIN) && !called);
    Ok(())
}

// ---- Owned items. ----

fn new_returns_the_error_of_an_initialiser(p: Priority) -> Verdict {
    let state = KBox::new(1, GFP_KERNEL).map_err(Error::from);
    let handler = Ok::<_, Error>(Probe::new(p, nothing));

    let result = boxed::<Probe<KBox<u32>>, _>(queue_for(p), Err(EBUSY), state);
    check!(result.err() == Some(EBUSY));
    let result = boxed::<Probe<KBox<u32>>, _>(queue_for(p), handler, Err(EAGAIN));
    check!(result.err() == Some(EAGAIN));
    Ok(())
}

/// The handler of one item queues another one, which it borrows.
fn a_handler_may_borrow(p: Priority) -> Verdict {
    struct QueueOther<'a>(&'a Item);

    impl BhWorkHandler for QueueOther<'_> {
        type State = ();

        fn run(self: Pin<&Self>, (): &mut (), _: &BhWorkContext<'_>) {
            self.0.queue();
        }
    }

    Item::with(p, 0, count_in_state, |mut other| {
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

/// Sleeps until the test lets it continue, and then runs for 3 ms more.
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
        let mut work = boxed(BhQueue::Process, sleeper, None)?;

        on_cpu(cpu, || work.queue());
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
        let mut work = boxed(BhQueue::Process, Probe::new(Normal, run_for_ever), 0)?;

        on_cpu(cpu, || work.queue());
        check!(eventually(|| flags(&work).runs() > 100));
        work.as_mut().cancel();
        let runs = flags(&work).runs();
        // Queued behind everything that is left there.
        let last = boxed(BhQueue::Process, Probe::new(Normal, nothing), 0)?;
        on_cpu(cpu, || last.queue());
        check!(eventually(|| flags(&last).runs() == 1));
        check!(flags(&work).runs() == runs);
    }
    Ok(())
}

/// The two types have different lockdep classes, so lockdep does not report a self-deadlock.
fn in_process_context_an_item_may_cancel_one_of_another_type() -> Verdict {
    struct CancelOther {
        done: Atomic<i32>,
    }

    impl BhWorkHandler for CancelOther {
        type State = Boxed<Probe>;

        fn run(self: Pin<&Self>, other: &mut Self::State, _: &BhWorkContext<'_>) {
            other.queue();
            other.as_mut().cancel();
            self.done.store(1, Relaxed);
        }
    }

    let other = boxed(BhQueue::Process, Probe::new(Normal, count_in_state), 0)?;
    let done = Atomic::new(0);
    let work = boxed(BhQueue::Process, CancelOther { done }, other)?;

    work.queue();
    check!(eventually(|| {
        work.as_ref().handler().get_ref().done.load(Relaxed) == 1
    }));
    Ok(())
}

tests! {
    both: [
        runs_in_softirq_context_with_interrupts_enabled::<Item>,
        runs_on_the_cpu_that_queued_it = runs_on_the_cpu_that_scheduled_it::<Item>,
        never_runs_twice_at_the_same_time::<Item>,
        different_items_run_at_the_same_time = different_ones_run_at_the_same_time::<Item>,
        queued_twice_before_it_runs_it_runs_once =
            scheduled_twice_before_it_runs_it_runs_once::<Item>,
        queued_while_it_runs_it_runs_again_where_it_is_running,
        it_queues_itself = it_reschedules_itself::<Item>,
        runs_before_tasklets_of_its_priority,
        cancel_waits_for_a_running_callback,
        cancel_discards_a_pending_run,
        the_end_of_the_scope_discards_a_pending_run =
            |p| pending_run_is_discarded(p, Owner::Scope),
        cancel_of_one_that_was_never_queued_is_harmless,
        cancel_ends_one_that_queues_itself_for_ever =
            kill_ends_one_that_reschedules_itself_for_ever::<Item>,
        the_end_of_the_scope_ends_one_that_queues_itself_for_ever,
        after_cancel_it_can_be_queued_and_queue_itself_again =
            after_kill_it_can_be_scheduled_and_reschedule_itself_again::<Item>,
        the_end_of_the_scope_waits_for_a_run_on_another_cpu =
            |p| drop_while_it_runs_on_another_cpu_waits::<Item<_>>(p, Owner::Scope),
        five_thousand_are_made_queued_and_cancelled_on_every_cpu_at_once,
        queued_on_a_cpu_that_goes_offline_it_runs_once =
            scheduled_on_a_cpu_that_goes_offline_it_runs_once::<Item>,
        queueing_itself_on_a_cpu_that_goes_offline_it_keeps_running,
        cancel_hands_the_state_back = kill_hands_the_state_back::<Item>,
        a_scope_returns_the_error_of_an_initialiser,
        drop_discards_a_pending_run = |p| pending_run_is_discarded(p, Owner::KBox),
        drop_waits_for_a_run_on_another_cpu =
            |p| drop_while_it_runs_on_another_cpu_waits::<Item<_>>(p, Owner::KBox),
        new_returns_the_error_of_an_initialiser,
        a_handler_may_borrow,
    ],
    once: [
        in_process_context_it_may_sleep_and_cancel_waits_for_it,
        in_process_context_cancel_ends_one_that_queues_itself_for_ever,
        in_process_context_an_item_may_cancel_one_of_another_type,
        highpri_runs_before_normal = high_priority_runs_before_normal::<Item>,
    ]
}
