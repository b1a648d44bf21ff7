// SPDX-License-Identifier: GPL-2.0

//! The scenarios: what the threads do at the same time. The process is loom's first thread. All
//! threads run in one real thread, so that `Rc` shares between them without any ordering.
//!
//! A CPU is a thread that runs its softirqs. If another thread schedules on that CPU, it stands for
//! an interrupt there, or for a process that the softirqs interrupt. If everything that is
//! scheduled on a CPU from outside is scheduled before its thread begins, nothing is missed:
//! softirqs have nothing to do before.

use crate::{
    check::{ends, expect, Plain, Property},
    kernel::Cpu,
    unload::Module,
    wait::Sleepers,
    wrapper::{StaticTasklet, Tasklet, TaskletContext, TaskletHandler},
};
use loom::{
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        Mutex,
    },
    thread::{self, JoinHandle},
};
use std::{
    cell::RefCell,
    mem::forget,
    rc::{Rc, Weak},
};

/// A scenario: its name, its number of threads, a description, and what it does in each
/// interleaving.
pub struct Scenario {
    pub name: &'static str,
    pub threads: usize,
    /// The number of preemptions in one interleaving, if that is bounded.
    pub preemptions: Option<usize>,
    pub what: &'static str,
    pub run: fn(),
}

/// The longest ones are first.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "two-cpus-kill",
        threads: 3,
        preemptions: None,
        what: "scheduled on two CPUs, it reschedules itself, and is killed",
        run: two_cpus_kill,
    },
    Scenario {
        name: "two-guards",
        threads: 3,
        preemptions: None,
        what: "a pending run, and two guards, one of which waits late",
        run: two_guards,
    },
    Scenario {
        name: "two-schedulers-kill",
        threads: 3,
        preemptions: None,
        what: "scheduled by two on one CPU, and killed",
        run: two_schedulers_kill,
    },
    Scenario {
        name: "schedule-kill",
        threads: 2,
        preemptions: None,
        what: "a pending run is killed and the state handed back",
        run: schedule_kill,
    },
    Scenario {
        name: "schedule-drop",
        threads: 2,
        preemptions: None,
        what: "a pending run, and a drop",
        run: schedule_drop,
    },
    Scenario {
        name: "reschedule-kill",
        threads: 2,
        preemptions: None,
        what: "it reschedules itself for ever, a last time late, and is killed",
        run: reschedule_kill,
    },
    Scenario {
        name: "kill-reschedule",
        threads: 2,
        preemptions: None,
        what: "after a kill it is scheduled, and reschedules itself once",
        run: kill_reschedule,
    },
    Scenario {
        name: "live-guard",
        threads: 2,
        preemptions: None,
        what: "a pending run, disabled and enabled, then a kill",
        run: live_guard,
    },
    Scenario {
        name: "disable-mut",
        threads: 2,
        preemptions: None,
        what: "a pending run, and a disable that lends the state",
        run: disable_mut,
    },
    Scenario {
        name: "disable-mut-schedule",
        threads: 2,
        preemptions: None,
        what: "scheduled while a disable lends the state",
        run: disable_mut_schedule,
    },
    Scenario {
        name: "leaked-guard-kill",
        threads: 2,
        preemptions: None,
        what: "scheduled while a leaked guard disables it, then a kill",
        run: leaked_guard_kill,
    },
    Scenario {
        name: "leaked-nosync-drop",
        threads: 2,
        preemptions: None,
        what: "it reschedules itself for ever, a guard is leaked, then a drop",
        run: leaked_nosync_drop,
    },
    Scenario {
        name: "leaked-guard-disable-mut",
        threads: 2,
        preemptions: None,
        what: "a guard is leaked without a wait, then a disable lends the state",
        run: leaked_guard_disable_mut,
    },
    Scenario {
        name: "initial-disable-kill",
        threads: 2,
        preemptions: None,
        what: "scheduled while its initial disable holds, and killed",
        run: initial_disable_kill,
    },
    Scenario {
        name: "static-take-race",
        threads: 2,
        preemptions: None,
        what: "two ask for the handle of a static",
        run: static_take_race,
    },
    Scenario {
        name: "two-cpus",
        threads: 2,
        preemptions: None,
        what: "scheduled on two CPUs at once",
        run: two_cpus,
    },
    Scenario {
        name: "leaked-by-another",
        threads: 3,
        preemptions: None,
        what: "another thread leaks a guard, then a disable lends the state",
        run: leaked_by_another,
    },
    Scenario {
        name: "initial-disable-race",
        threads: 3,
        preemptions: None,
        what: "two ask for the guard of its initial disable",
        run: initial_disable_race,
    },
    Scenario {
        name: "exit-pending",
        threads: 2,
        preemptions: None,
        what: "it reschedules itself for ever and is leaked, then the module goes",
        run: exit_pending,
    },
    Scenario {
        name: "exit-own-handle",
        threads: 2,
        preemptions: None,
        what: "the same, through a handle of its own",
        run: exit_own_handle,
    },
    Scenario {
        name: "exit-own-guard",
        threads: 2,
        preemptions: Some(6),
        what: "the same, and it leaks a guard of its own",
        run: exit_own_guard,
    },
    Scenario {
        name: "exit-disabled",
        threads: 2,
        preemptions: None,
        what: "scheduled while a leaked guard disables it, then the module goes",
        run: exit_disabled,
    },
    Scenario {
        name: "exit-two",
        threads: 2,
        preemptions: Some(4),
        what: "one schedules itself and another, which schedules itself, and the module goes",
        run: exit_two,
    },
    Scenario {
        name: "exit-state",
        threads: 2,
        preemptions: None,
        what: "the same, but the other runs only when it is scheduled by the first",
        run: exit_state,
    },
    Scenario {
        name: "exit-ring",
        threads: 2,
        preemptions: Some(6),
        what: "two schedule each other for ever, and the module goes",
        run: exit_ring,
    },
    Scenario {
        name: "exit-ring-two-cpus",
        threads: 2,
        preemptions: Some(5),
        what: "two schedule each other, on a CPU each, and the module goes",
        run: exit_ring_two_cpus,
    },
    Scenario {
        name: "exit-guards",
        threads: 2,
        preemptions: Some(3),
        what: "one reschedules itself and leaks guards of another, and the module goes",
        run: exit_guards,
    },
    Scenario {
        name: "exit-interrupts",
        threads: 2,
        preemptions: Some(5),
        what: "an interrupt schedules it after each pass, and the module goes",
        run: exit_interrupts,
    },
    Scenario {
        name: "exit-schedule",
        threads: 2,
        preemptions: None,
        what: "another CPU schedules it while the module goes",
        run: exit_schedule,
    },
    Scenario {
        name: "exit-leak",
        threads: 3,
        preemptions: Some(5),
        what: "another thread leaks a guard while the module goes",
        run: exit_leak,
    },
    Scenario {
        name: "exit-guard",
        threads: 3,
        preemptions: Some(3),
        what: "another thread has a guard while the module goes",
        run: exit_guard,
    },
    Scenario {
        name: "exit-kill",
        threads: 2,
        preemptions: Some(6),
        what: "its owner kills and schedules it while the module goes",
        run: exit_kill,
    },
    Scenario {
        name: "exit-kill-late",
        threads: 3,
        preemptions: Some(3),
        what: "its owner kills it while the module goes, after it was shut off",
        run: exit_kill_late,
    },
    Scenario {
        name: "exit-kill-disabled",
        threads: 2,
        preemptions: Some(5),
        what: "its owner kills it, disabled, while the module goes",
        run: exit_kill_disabled,
    },
    Scenario {
        name: "exit-drop",
        threads: 2,
        preemptions: None,
        what: "its owner drops it while the module goes",
        run: exit_drop,
    },
    Scenario {
        name: "exit-new",
        threads: 2,
        preemptions: Some(6),
        what: "the first one is made and scheduled while the module goes",
        run: exit_new,
    },
    Scenario {
        name: "load-fails",
        threads: 2,
        preemptions: Some(6),
        what: "two schedule each other for ever, and loading fails",
        run: load_fails,
    },
];

/// A handler that counts, and sees what those who schedule it noted.
struct Counter {
    /// It reschedules itself unless it has run this often.
    reschedules_until: usize,
    /// What schedulers write before they schedule, each in a decimal place of its own.
    note: AtomicUsize,
    /// How many runs have begun, if anybody has to know who must not look at the state.
    runs: Option<AtomicUsize>,
    /// Those who wait for a run.
    ran: Sleepers,
    /// How many guards of the initial disable were given out.
    initial_disables: AtomicUsize,
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
        if let Some(runs) = &self.runs {
            runs.fetch_add(1, Relaxed);
            self.ran.wake();
        }
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
        runs: None,
        ran: Sleepers::new(),
        initial_disables: AtomicUsize::new(0),
        quiet: Plain::new(Property::DisabledDoesNotRun, ()),
    }
}

fn counting(reschedules_until: usize, disabled: bool) -> Rc<Counting> {
    let handler = counter(reschedules_until);
    Tasklet::new(handler, Count::default(), disabled)
}

/// It runs as often as it is scheduled.
fn plain() -> Rc<Counting> {
    counting(0, false)
}

const FOR_EVER: usize = usize::MAX;

/// A thread for a CPU.
fn softirqs(cpu: &Rc<Cpu>) -> JoinHandle<()> {
    let cpu = cpu.clone();
    thread::spawn(move || cpu.softirqs())
}

/// Schedules the tasklet, whose run then sees `note`, and gives it a CPU that runs nothing else.
fn schedule(tasklet: &Rc<Counting>, note: usize) -> JoinHandle<()> {
    let cpu = Rc::new(Cpu::new());
    note_and_schedule(tasklet, note, &cpu);
    cpu.close();
    softirqs(&cpu)
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
    let mut handler = counter(2);
    handler.runs = Some(AtomicUsize::new(0));
    let tasklet = Tasklet::new(handler, Count::default(), false);
    tasklet.kill(|_| ());
    let cpu = schedule(&tasklet, 1);
    let runs = tasklet.handler().runs.as_ref().unwrap();
    ends(Property::NoRunLost, || {
        while runs.fetch_add(0, Relaxed) < 2 {
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

fn initial_disable_kill() {
    let tasklet = counting(0, true);
    let cpu = schedule(&tasklet, 1);
    kill_discards(&tasklet, 0);
    drop(tasklet.initial_disable());
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
            cpu.softirqs();
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
        cpu.softirqs();
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
    let softirqs = softirqs(&cpu);
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

fn initial_disable_race() {
    fn spend(tasklet: &Counting) {
        let guard = tasklet.initial_disable();
        if guard.is_some() {
            tasklet.handler().initial_disables.fetch_add(1, Relaxed);
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
    let initial_disables = tasklet.handler().initial_disables.load(Relaxed);
    expect(
        Property::EnablesMatch,
        initial_disables == 1,
        "the initial disable was not released once",
    );
    kill_after(&tasklet, 1, 1);
    tasklet.drop_and_free();
    cpu.join().unwrap();
}

/// What a handler does in a run that safe code cannot be kept from.
enum Act {
    /// Reschedules itself through its context.
    Again,
    /// Schedules through a handle.
    Schedule(Weak<Leaky>),
    /// Disables without a wait, and leaks the guard.
    LeakGuard(Weak<Leaky>),
}

/// A handler that does such things, in its first runs.
struct Actor {
    acts: RefCell<Vec<Act>>,
    runs: usize,
    quiet: Plain<()>,
}

impl TaskletHandler for Actor {
    /// How often it ran.
    type State = usize;

    fn run(&self, state: &mut usize, cx: &TaskletContext<'_>) {
        self.quiet.write(|()| ());
        *state += 1;
        if *state > self.runs {
            return;
        }
        for act in &*self.acts.borrow() {
            let alive = |tasklet: &Weak<Leaky>| tasklet.upgrade().expect("a handle");
            match act {
                Act::Again => cx.schedule(),
                Act::Schedule(tasklet) => alive(tasklet).schedule(cx.cpu),
                Act::LeakGuard(tasklet) => forget(alive(tasklet).disable_nosync()),
            }
        }
    }
}

type Leaky = Tasklet<Actor>;

/// Makes one of `module` that does what [`acts`] says in its first `runs` runs, unless it is
/// refused.
fn try_leaky(module: &Rc<Module>, runs: usize) -> Option<Rc<Leaky>> {
    let handler = Actor {
        acts: RefCell::new(Vec::new()),
        runs,
        quiet: Plain::new(Property::DisabledDoesNotRun, ()),
    };
    Tasklet::registered(handler, 0, false, module)
}

fn leaky(module: &Rc<Module>, runs: usize) -> Rc<Leaky> {
    try_leaky(module, runs).expect("the module is not going")
}

fn acts<const N: usize>(tasklet: &Leaky, acts: [Act; N]) {
    tasklet.handler().acts.borrow_mut().extend(acts);
}

fn handle(tasklet: &Rc<Leaky>) -> Weak<Leaky> {
    Rc::downgrade(tasklet)
}

/// A CPU with these in its list, and nothing else to do.
fn pending<const N: usize>(tasklets: [&Rc<Leaky>; N]) -> JoinHandle<()> {
    let cpu = Rc::new(Cpu::new());
    for tasklet in tasklets {
        tasklet.schedule(&cpu);
    }
    cpu.close();
    softirqs(&cpu)
}

/// The end of the module, while softirqs go on.
fn exit<const N: usize>(module: &Module, cpus: [JoinHandle<()>; N]) {
    module.exit();
    module.unload();
    for cpu in cpus {
        cpu.join().unwrap();
    }
}

/// The same, while another thread is in the module's code.
fn exit_beside(module: &Module, other: JoinHandle<()>, cpu: JoinHandle<()>) {
    module.exit();
    other.join().unwrap();
    module.unload();
    cpu.join().unwrap();
}

fn exit_pending() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 1);
    acts(&tasklet, [Act::Again]);
    let cpu = pending([&tasklet]);
    exit(&module, [cpu]);
}

fn exit_own_handle() {
    let module = Module::hooked();
    let tasklet = leaky(&module, FOR_EVER);
    acts(&tasklet, [Act::Schedule(handle(&tasklet))]);
    let cpu = pending([&tasklet]);
    exit(&module, [cpu]);
}

fn exit_own_guard() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 1);
    acts(
        &tasklet,
        [
            Act::Schedule(handle(&tasklet)),
            Act::LeakGuard(handle(&tasklet)),
        ],
    );
    let cpu = pending([&tasklet]);
    exit(&module, [cpu]);
}

fn exit_disabled() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 0);
    forget(tasklet.disable());
    let cpu = pending([&tasklet]);
    exit(&module, [cpu]);
    let runs = tasklet.last_state();
    expect(Property::Discarded, runs == 0, "a run was not discarded");
}

fn exit_two() {
    let module = Module::hooked();
    let one = leaky(&module, 1);
    let other = leaky(&module, 1);
    acts(&one, [Act::Schedule(handle(&other)), Act::Again]);
    acts(&other, [Act::Again]);
    let cpu = pending([&one]);
    exit(&module, [cpu]);
}

fn exit_state() {
    let module = Module::hooked();
    let holder = leaky(&module, 1);
    let held = leaky(&module, 0);
    acts(&holder, [Act::Schedule(handle(&held))]);
    let cpu = pending([&holder]);
    exit(&module, [cpu]);
}

/// Two that schedule each other, in the given number of runs.
fn ring(module: &Rc<Module>, runs: usize) -> [Rc<Leaky>; 2] {
    let [one, other] = [leaky(module, runs), leaky(module, runs)];
    acts(&one, [Act::Schedule(handle(&other))]);
    acts(&other, [Act::Schedule(handle(&one))]);
    [one, other]
}

fn exit_ring() {
    let module = Module::hooked();
    let [one, _other] = ring(&module, 1);
    let cpu = pending([&one]);
    exit(&module, [cpu]);
}

fn exit_ring_two_cpus() {
    let module = Module::hooked();
    let [one, other] = ring(&module, 1);
    let here = Rc::new(Cpu::new());
    other.schedule(&here);
    *module.cpu.borrow_mut() = Some(here);
    let cpu = pending([&one]);
    exit(&module, [cpu]);
}

fn exit_guards() {
    let module = Module::hooked();
    let one = leaky(&module, FOR_EVER);
    let other = leaky(&module, 0);
    acts(&one, [Act::LeakGuard(handle(&other)), Act::Again]);
    let cpu = pending([&one, &other]);
    exit(&module, [cpu]);
}

fn exit_interrupts() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 0);
    let cpu = Rc::new(Cpu::new());
    tasklet.schedule(&cpu);
    cpu.close();
    let interrupts = Rc::new(Mutex::new(true));
    let cpu = thread::spawn({
        let interrupts = interrupts.clone();
        move || {
            cpu.softirqs_and(&|| {
                let on = interrupts.lock().unwrap();
                if *on {
                    tasklet.schedule(&cpu);
                }
            });
        }
    });
    module.exit();
    // free_irq(), which waits.
    *interrupts.lock().unwrap() = false;
    module.unload();
    cpu.join().unwrap();
}

fn exit_schedule() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 0);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || forget(pending([&tasklet]))
    });
    module.exit();
    other.join().unwrap();
    module.unload();
}

fn exit_leak() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 0);
    let cpu = pending([&tasklet]);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || forget(tasklet.disable_nosync())
    });
    exit_beside(&module, other, cpu);
}

fn exit_guard() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 0);
    forget(tasklet.disable());
    let cpu = pending([&tasklet]);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || {
            tasklet.handler().quiet.read(|()| ());
            drop(tasklet.guard());
        }
    });
    exit_beside(&module, other, cpu);
}

/// A tasklet that is pending, and its owner, who is on the same CPU.
fn exit_owned(tasklet: fn(&Rc<Module>) -> Rc<Leaky>, owner: fn(&Rc<Leaky>, &Rc<Cpu>)) {
    let module = Module::hooked();
    let tasklet = tasklet(&module);
    let other = thread::spawn(move || {
        let cpu = Rc::new(Cpu::new());
        tasklet.schedule(&cpu);
        tasklet.wait_on(&cpu);
        owner(&tasklet, &cpu);
        cpu.close();
        cpu.softirqs();
    });
    module.exit();
    other.join().unwrap();
    module.unload();
}

fn exit_kill() {
    exit_owned(
        |module| leaky(module, 0),
        |tasklet, cpu| {
            tasklet.kill(|runs| *runs += 10);
            tasklet.schedule(cpu);
        },
    );
}

/// The owner is here on another CPU, from the third step on.
fn exit_kill_late() {
    let module = Module::hooked();
    let tasklet = leaky(&module, 0);
    let cpu = Rc::new(Cpu::new());
    tasklet.schedule(&cpu);
    cpu.close();
    module.begin_exit();
    let cpu = softirqs(&cpu);
    let other = thread::spawn({
        let tasklet = tasklet.clone();
        move || tasklet.kill(|runs| *runs += 10)
    });
    module.end_exit();
    other.join().unwrap();
    module.unload();
    cpu.join().unwrap();
}

fn exit_kill_disabled() {
    exit_owned(
        |module| {
            let tasklet = leaky(module, 0);
            forget(tasklet.disable());
            tasklet
        },
        |tasklet, _| {
            let runs = tasklet.kill(|runs| *runs);
            expect(Property::Discarded, runs == 0, "a run was not discarded");
        },
    );
}

fn exit_drop() {
    exit_owned(
        |module| leaky(module, 0),
        |tasklet, _| tasklet.drop_and_free(),
    );
}

fn exit_new() {
    let module = Module::new();
    let other = thread::spawn({
        let module = module.clone();
        move || {
            if let Some(tasklet) = try_leaky(&module, 0) {
                forget(pending([&tasklet]));
            }
        }
    });
    module.going();
    module.clean_up();
    module.free();
    other.join().unwrap();
    module.unload();
}

fn load_fails() {
    let module = Module::hooked();
    let [one, _other] = ring(&module, 1);
    let cpu = pending([&one]);
    module.fail_to_load();
    module.unload();
    cpu.join().unwrap();
}
