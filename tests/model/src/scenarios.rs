// SPDX-License-Identifier: GPL-2.0

//! Who does what at the same time. The process is loom's first thread. All threads are in one of
//! the machine's, so that `Rc` shares between them without any ordering.
//!
//! A CPU is a thread that runs its softirqs. What another thread schedules on that CPU was
//! scheduled there by an interrupt, or by a process that the softirqs interrupt. Where all that is
//! scheduled on a CPU from outside is scheduled before its thread begins, nothing is missed:
//! softirqs have nothing to do before.

use crate::{
    check::{ends, expect, Plain, Property},
    kernel::Cpu,
    wait::Sleepers,
    wrapper::{StaticTasklet, Tasklet, TaskletContext, TaskletHandler},
};
use loom::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::{self, JoinHandle},
};
use std::{mem::forget, rc::Rc};

/// Its name, how many threads it has, what it is about, and what it does in each interleaving.
pub struct Scenario {
    pub name: &'static str,
    pub threads: usize,
    pub what: &'static str,
    pub run: fn(),
}

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "schedule-kill",
        threads: 2,
        what: "a pending run is killed and the state handed back",
        run: schedule_kill,
    },
    Scenario {
        name: "schedule-drop",
        threads: 2,
        what: "a pending run, and a drop",
        run: schedule_drop,
    },
    Scenario {
        name: "reschedule-kill",
        threads: 2,
        what: "it reschedules itself for ever, a last time late, and is killed",
        run: reschedule_kill,
    },
    Scenario {
        name: "kill-reschedule",
        threads: 2,
        what: "after a kill it is scheduled, and reschedules itself once",
        run: kill_reschedule,
    },
    Scenario {
        name: "live-guard",
        threads: 2,
        what: "a pending run, disabled and enabled, then a kill",
        run: live_guard,
    },
    Scenario {
        name: "disable-mut",
        threads: 2,
        what: "a pending run, and a disable that lends the state",
        run: disable_mut,
    },
    Scenario {
        name: "disable-mut-schedule",
        threads: 2,
        what: "scheduled while a disable lends the state",
        run: disable_mut_schedule,
    },
    Scenario {
        name: "leaked-guard-kill",
        threads: 2,
        what: "scheduled while a leaked guard disables it, then a kill",
        run: leaked_guard_kill,
    },
    Scenario {
        name: "leaked-nosync-drop",
        threads: 2,
        what: "it reschedules itself for ever, a guard is leaked, then a drop",
        run: leaked_nosync_drop,
    },
    Scenario {
        name: "leaked-guard-disable-mut",
        threads: 2,
        what: "a guard is leaked without a wait, then a disable lends the state",
        run: leaked_guard_disable_mut,
    },
    Scenario {
        name: "birth-kill",
        threads: 2,
        what: "scheduled as it was born, disabled, and killed",
        run: birth_kill,
    },
    Scenario {
        name: "static-take-race",
        threads: 2,
        what: "two ask for the handle of a static",
        run: static_take_race,
    },
    Scenario {
        name: "two-cpus",
        threads: 2,
        what: "scheduled on two CPUs at once",
        run: two_cpus,
    },
    Scenario {
        name: "two-cpus-kill",
        threads: 3,
        what: "scheduled on two CPUs, it reschedules itself, and is killed",
        run: two_cpus_kill,
    },
    Scenario {
        name: "two-schedulers-kill",
        threads: 3,
        what: "scheduled by two on one CPU, and killed",
        run: two_schedulers_kill,
    },
    Scenario {
        name: "two-guards",
        threads: 3,
        what: "a pending run, and two guards, one of which waits late",
        run: two_guards,
    },
    Scenario {
        name: "leaked-by-another",
        threads: 3,
        what: "another thread leaks a guard, then a disable lends the state",
        run: leaked_by_another,
    },
    Scenario {
        name: "birth-race",
        threads: 3,
        what: "two ask for the guard of its birth",
        run: birth_race,
    },
];

/// A handler that counts, and sees what those who schedule it noted.
struct Counter {
    /// It reschedules itself unless it has run this often.
    reschedules_until: usize,
    /// What schedulers write before they schedule, each in a decimal place of its own.
    note: AtomicUsize,
    /// How many runs have begun, for those who must not look at the state.
    runs: AtomicUsize,
    /// Those who wait for a run.
    ran: Sleepers,
    /// How many guards of the birth were given out.
    births: AtomicUsize,
    /// What a driver may touch in the callback and under a guard, without a lock.
    quiet: Plain<()>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    runs: usize,
    /// The note that the last run saw.
    seen: usize,
}

impl TaskletHandler for Counter {
    type State = Count;

    fn run(&self, state: &mut Count, cx: &TaskletContext<'_>) {
        self.quiet.write(|()| ());
        self.runs.fetch_add(1, Relaxed);
        self.ran.wake();
        state.runs += 1;
        state.seen = self.note.load(Relaxed);
        if state.runs < self.reschedules_until {
            cx.schedule();
        }
    }
}

type Counting = Tasklet<Counter>;

fn counter(reschedules_until: usize) -> Counter {
    Counter {
        reschedules_until,
        note: AtomicUsize::new(0),
        runs: AtomicUsize::new(0),
        ran: Sleepers::new(),
        births: AtomicUsize::new(0),
        quiet: Plain::new(Property::DisabledDoesNotRun, ()),
    }
}

fn counting(reschedules_until: usize, disabled: bool) -> Rc<Counting> {
    let handler = counter(reschedules_until);
    Rc::new(Tasklet::new(handler, Count::default(), disabled))
}

/// It runs as often as it is scheduled.
fn plain() -> Rc<Counting> {
    counting(0, false)
}

const FOR_EVER: usize = usize::MAX;

/// A thread for a CPU where the tasklet is scheduled, or will be.
fn softirqs(tasklet: &Rc<Counting>, cpu: &Rc<Cpu>) -> JoinHandle<()> {
    let (tasklet, cpu) = (tasklet.clone(), cpu.clone());
    thread::spawn(move || tasklet.softirqs(&cpu))
}

/// Schedules the tasklet, whose run then sees `note`, and gives it a CPU that runs nothing else.
fn schedule(tasklet: &Rc<Counting>, note: usize) -> JoinHandle<()> {
    let cpu = Rc::new(Cpu::new());
    note_and_schedule(tasklet, note, &cpu);
    cpu.close();
    softirqs(tasklet, &cpu)
}

fn note_and_schedule(tasklet: &Counting, note: usize, cpu: &Cpu) {
    tasklet.handler().note.fetch_add(note, Relaxed);
    tasklet.schedule(cpu);
}

/// Kills it and changes the state, which has to be that of `runs` runs, the last of which saw
/// `seen`.
fn kill_after(tasklet: &Counting, runs: usize, seen: usize) {
    let was = tasklet.kill(std::mem::take);
    expect(
        Property::NoRunLost,
        was.runs == runs,
        "it did not run as often as it should",
    );
    expect(Property::NoRunLost, was.seen == seen, "a schedule was lost");
}

/// Kills it, and has whatever is pending after `runs` runs discarded.
fn kill_discards(tasklet: &Counting, runs: usize) {
    let was = tasklet.kill(std::mem::take);
    expect(
        Property::Discarded,
        was.runs == runs,
        "a run was not discarded",
    );
}

/// Kills it, after two schedules that one run may have served. It runs `most` times at most.
fn kill_after_two(tasklet: &Counting, most: usize, seen: usize) {
    let was = tasklet.kill(std::mem::take);
    expect(Property::NoRunLost, was.seen == seen, "a schedule was lost");
    expect(
        Property::NoRunLost,
        was.runs >= 1,
        "both schedules were lost",
    );
    expect(Property::NoRunLost, was.runs <= most, "it ran too often");
}

fn schedule_kill() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    kill_after(&tasklet, 1, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn schedule_drop() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn reschedule_kill() {
    let tasklet = counting(FOR_EVER, false);
    let cpu = schedule(&tasklet, 1);
    let was = tasklet.kill(std::mem::take);
    expect(
        Property::NoRunLost,
        was.runs > 0,
        "the pending run was lost",
    );
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn kill_reschedule() {
    let tasklet = counting(2, false);
    tasklet.kill(|_| ());
    let cpu = schedule(&tasklet, 1);
    ends(Property::NoRunLost, || {
        while tasklet.handler().runs.fetch_add(0, Relaxed) < 2 {
            tasklet.handler().ran.sleep();
        }
    });
    kill_after(&tasklet, 2, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn live_guard() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    let guard = tasklet.disable();
    tasklet.handler().quiet.read(|()| ());
    drop(guard);
    kill_after(&tasklet, 1, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn disable_mut() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    let mut guard = tasklet.disable_mut();
    guard.state(|state| state.runs += 10);
    drop(guard);
    kill_after(&tasklet, 11, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn disable_mut_schedule() {
    let tasklet = plain();
    let mut guard = tasklet.disable_mut();
    let cpu = schedule(&tasklet, 1);
    guard.state(|state| state.runs += 10);
    drop(guard);
    kill_after(&tasklet, 11, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn leaked_guard_kill() {
    let tasklet = plain();
    forget(tasklet.disable());
    let cpu = schedule(&tasklet, 1);
    kill_discards(&tasklet, 0);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn leaked_nosync_drop() {
    let tasklet = counting(FOR_EVER, false);
    let cpu = schedule(&tasklet, 1);
    forget(tasklet.disable_nosync());
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn leaked_guard_disable_mut() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    forget(tasklet.disable_nosync());
    let mut guard = tasklet.disable_mut();
    let runs = guard.state(|state| state.runs);
    drop(guard);
    kill_discards(&tasklet, runs);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn birth_kill() {
    let tasklet = counting(0, true);
    let cpu = schedule(&tasklet, 1);
    kill_discards(&tasklet, 0);
    drop(tasklet.born_disabled());
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn static_take_race() {
    fn take(statik: &StaticTasklet<Counter>, handles: &AtomicUsize) {
        if let Some(handle) = statik.take() {
            let before = handles.fetch_add(1, Relaxed);
            expect(Property::OneHandle, before == 0, "there are two handles");
            let cpu = Cpu::new();
            note_and_schedule(handle, 1, &cpu);
            cpu.close();
            handle.softirqs(&cpu);
            kill_after(handle, 1, 1);
        }
    }

    let statik = Rc::new(StaticTasklet::new(counter(0), Count::default()));
    let handles = Rc::new(AtomicUsize::new(0));

    let other = thread::spawn({
        let (statik, handles) = (statik.clone(), handles.clone());
        move || take(&statik, &handles)
    });
    take(&statik, &handles);
    other.join().unwrap();
    let handles = handles.load(Relaxed);
    expect(Property::OneHandle, handles == 1, "nobody has the handle");
}

/// The process is a CPU here, too.
fn two_cpus() {
    fn on_a_cpu(tasklet: &Counting, note: usize) {
        let cpu = Cpu::new();
        note_and_schedule(tasklet, note, &cpu);
        cpu.close();
        tasklet.softirqs(&cpu);
    }

    let tasklet = plain();
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || on_a_cpu(&tasklet, 10)
    });
    on_a_cpu(&tasklet, 1);
    other.join().unwrap();
    kill_after_two(&tasklet, 2, 11);
    tasklet.drop_and_free();
}

fn two_cpus_kill() {
    let tasklet = counting(2, false);
    let one = schedule(&tasklet, 1);
    let other = schedule(&tasklet, 10);
    kill_after_two(&tasklet, 3, 11);
    tasklet.drop_and_free();
    one.join().unwrap();
    other.join().unwrap();
}

fn two_schedulers_kill() {
    let tasklet = plain();
    let cpu = Rc::new(Cpu::new());
    note_and_schedule(&tasklet, 1, &cpu);
    let softirqs = softirqs(&tasklet, &cpu);
    let other = thread::spawn({
        let (tasklet, cpu) = (tasklet.clone(), cpu.clone());
        move || note_and_schedule(&tasklet, 10, &cpu)
    });
    other.join().unwrap();
    cpu.close();
    kill_after_two(&tasklet, 2, 11);
    tasklet.drop_and_free();
    softirqs.join().unwrap();
}

fn two_guards() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || {
            let guard = tasklet.disable_nosync().wait();
            tasklet.handler().quiet.read(|()| ());
            drop(guard);
        }
    });
    let guard = tasklet.disable();
    tasklet.handler().quiet.read(|()| ());
    drop(guard);
    other.join().unwrap();
    cpu.join().unwrap();
    kill_after(&tasklet, 1, 1);
    tasklet.drop_and_free();
}

fn leaked_by_another() {
    let tasklet = plain();
    let cpu = schedule(&tasklet, 1);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || forget(tasklet.disable_nosync())
    });
    other.join().unwrap();
    let mut guard = tasklet.disable_mut();
    let runs = guard.state(|state| state.runs);
    drop(guard);
    kill_discards(&tasklet, runs);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

fn birth_race() {
    fn spend(tasklet: &Counting) {
        let guard = tasklet.born_disabled();
        if guard.is_some() {
            tasklet.handler().births.fetch_add(1, Relaxed);
        }
        drop(guard);
    }

    let tasklet = counting(0, true);
    let cpu = schedule(&tasklet, 1);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || spend(&tasklet)
    });
    spend(&tasklet);
    other.join().unwrap();
    let births = tasklet.handler().births.load(Relaxed);
    expect(
        Property::EnablesMatch,
        births == 1,
        "the birth was not spent once",
    );
    kill_after(&tasklet, 1, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}
