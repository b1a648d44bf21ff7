// SPDX-License-Identifier: GPL-2.0

//! The wrapper's side: `tasklet_wrap.rs` without the types that make misuse impossible. The
//! scenarios have to obey what those types ensure, such as that a kill has exclusive access.
//!
//! The functions have the same names as there, in the same order.

use crate::{
    check::{ends, expect, is_wrong, Plain, Property, Site},
    kernel::{Around, Cpu, TaskletStruct},
    unload::{Entry, Module, Step},
    wait::Watchers,
};
use loom::sync::atomic::{
    AtomicI32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::{
    cell::Cell,
    rc::{Rc, Weak},
    sync::atomic as outside,
};

mod request {
    pub(super) const NONE: i32 = 0;
    pub(super) const STOP: i32 = 1;
    pub(super) const DISCARD: i32 = 2;
    pub(super) const SHUT: i32 = 3;
    pub(super) const HELD: i32 = 4;
}

/// An exchange that orders nothing. Only one thread can get the old value.
fn xchg(atomic: &AtomicI32, value: i32, site: Site) -> i32 {
    if is_wrong(site) {
        let was = atomic.load(Relaxed);
        atomic.store(value, Relaxed);
        was
    } else {
        atomic.swap(value, Relaxed)
    }
}

pub struct Core {
    this: Weak<Self>,
    tasklet: TaskletStruct,
    request: AtomicI32,
    /// The newest value of `request`, outside of loom.
    newest_request: outside::AtomicI32,
    /// Is accessed along with `request` if that shall not be atomic.
    plain_request: Plain<()>,
    initial_disable: AtomicI32,
    /// The module whose code the callback is, if it can be unloaded.
    module: Option<Rc<Module>>,
    /// The threads that wait until it is retired, or for a step towards that.
    watchers: Rc<Watchers>,
    /// Whether no handler runs any more, as a sweep claims.
    quiet: Plain<bool>,
    step: Cell<Step>,
}

impl Core {
    fn new(around: Weak<dyn Around>, disabled: bool, module: Option<Rc<Module>>) -> Rc<Self> {
        let watchers = match &module {
            Some(module) => module.watchers.clone(),
            None => Rc::new(Watchers::new()),
        };
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            tasklet: TaskletStruct::new(around, i32::from(disabled), &watchers),
            watchers,
            request: AtomicI32::new(request::NONE),
            newest_request: outside::AtomicI32::new(request::NONE),
            plain_request: Plain::new(Property::NoDataRace, ()),
            initial_disable: AtomicI32::new(i32::from(disabled)),
            module,
            quiet: Plain::new(Property::Quiet, false),
            step: Cell::new(Step::None),
        })
    }

    /// A volatile read there, which is a relaxed load.
    fn request(&self) -> i32 {
        if is_wrong(Site::RequestAtomic) {
            self.plain_request.read(|()| ());
        }
        self.request.load(Relaxed)
    }

    /// A volatile write there, which is a relaxed store.
    fn ask(&self, request: i32) {
        if is_wrong(Site::RequestAtomic) {
            self.plain_request.write(|()| ());
        }
        self.request.store(request, Relaxed);
        self.note_request(request);
    }

    fn note_request(&self, request: i32) {
        self.newest_request
            .store(request, outside::Ordering::Relaxed);
        self.watchers.wake();
    }

    fn newest_request(&self) -> i32 {
        self.newest_request.load(outside::Ordering::Relaxed)
    }

    /// A relaxed `cmpxchg()` of `NONE` for `request`.
    fn ask_first(&self, request: i32, site: Site) -> Result<(), i32> {
        let was = if is_wrong(site) {
            let was = self.request.load(Relaxed);
            if was == request::NONE {
                self.request.store(request, Relaxed);
            }
            was
        } else {
            match self
                .request
                .compare_exchange(request::NONE, request, Relaxed, Relaxed)
            {
                Ok(was) | Err(was) => was,
            }
        };

        if was != request::NONE {
            return Err(was);
        }
        self.note_request(request);
        Ok(())
    }

    /// Whether others may no longer enable the tasklet as often as it was disabled.
    fn is_shut_by_now(&self) -> bool {
        self.newest_request() >= request::SHUT
    }

    fn is_disabled(&self) -> bool {
        self.tasklet.count() != 0
    }

    fn undo_disable(&self) {
        let was = self.tasklet.enable();
        // A sweep sets the count to 0 at each check, whatever it is.
        expect(
            Property::EnablesMatch,
            was > 0 || self.is_shut_by_now(),
            "more enables than disables",
        );
    }

    fn kill(&self) {
        if self.module.is_some() {
            self.kill_added();
        } else {
            self.kill_alone();
            self.withdraw();
        }
    }

    fn end(&self) {
        if self.module.is_some() {
            self.end_added();
        } else {
            self.kill_alone();
        }
    }

    fn end_added(&self) {
        if !is_wrong(Site::StepEndRemoves) {
            self.module().remove(self);
        }
        if self.request() == request::NONE {
            self.kill_alone();
        } else {
            self.kill_added();
        }
    }

    fn kill_added(&self) {
        let disabled = self.is_disabled();
        let request = if disabled {
            request::DISCARD
        } else {
            request::STOP
        };

        let asked = self.ask_first(request, Site::KillAtomic).is_ok();
        if !asked && is_wrong(Site::StepKillAsksFirst) {
            self.ask(request);
            self.wait_until_idle();
            return self.withdraw();
        }
        if asked {
            if disabled {
                self.enable(false);
            }
            self.wait_until_idle();
            return self.withdraw();
        }

        if is_wrong(Site::StepKillRetires) {
            return self.tasklet.kill(Property::KillEnds);
        }
        ends(Property::KillEnds, || {
            while !self.retire() {
                if !self.tasklet.interrupt() {
                    let this = self.this();
                    self.watchers
                        .sleep_until(Rc::new(move || this.is_worth_a_look(Step::Retired)));
                }
            }
        });
        self.after_retired();
    }

    fn kill_alone(&self) {
        if self.is_disabled() {
            self.discard();
        } else {
            self.ask(request::STOP);
        }
        self.wait_until_idle();
    }

    fn wait_until_idle(&self) {
        self.tasklet.kill(Property::KillEnds);
    }

    /// Withdraws the request of a kill.
    fn withdraw(&self) {
        if !is_wrong(Site::StepRequestReset) {
            self.ask(request::NONE);
        }
    }

    fn discard(&self) {
        self.ask(if is_wrong(Site::StepDiscard) {
            request::STOP
        } else {
            request::DISCARD
        });
        if !is_wrong(Site::StepCountReset) {
            self.enable(false);
        }
    }

    /// Sets the count to 0, `among_others` who may change it meanwhile.
    fn enable(&self, among_others: bool) {
        let ordering = if is_wrong(Site::CountRelease) {
            Relaxed
        } else {
            Release
        };
        self.tasklet.reset_count(ordering, among_others);
        if !is_wrong(Site::StepInitialDisableReset) {
            self.initial_disable.store(0, Relaxed);
        }
    }

    fn hold(&self) {
        if self.request() == request::SHUT && !self.tasklet.test_and_set_sched() {
            self.ask(request::HELD);
        }
    }

    fn retire(&self) -> bool {
        // There it is done in any case. What is not stored here orders nothing.
        let enables = !is_wrong(Site::StepRetireEnables) && !is_wrong(Site::StepRetireEnablesAgain);
        if enables && self.is_disabled() {
            self.enable(true);
        }
        self.hold();

        let ordering = if is_wrong(Site::HeldAcquire) {
            Relaxed
        } else {
            Acquire
        };
        if self.request.load(ordering) != request::HELD {
            return false;
        }
        let ordering = if is_wrong(Site::RetireRun) {
            Relaxed
        } else {
            Acquire
        };
        !self.tasklet.is_running(ordering) || is_wrong(Site::StepRetireWaits)
    }

    /// What some defects do then.
    fn after_retired(&self) {
        if is_wrong(Site::StepRetireKeepsSched) {
            self.tasklet.clear_sched_bit();
        }
        if is_wrong(Site::StepRetireKeepsRequest) {
            self.ask(request::NONE);
        }
    }

    /// Called at the beginning and at the end of each run of the handler.
    fn handler_runs(&self) {
        self.quiet
            .read(|quiet| expect(Property::Quiet, !quiet, "a handler runs"));
    }

    fn this(&self) -> Rc<Self> {
        self.this.upgrade().expect("somebody calls it")
    }

    fn module(&self) -> &Rc<Module> {
        self.module.as_ref().expect("a tasklet of a module")
    }

    fn shut_off(&self) -> bool {
        match self.ask_first(request::SHUT, Site::ShutAtomic) {
            Ok(()) => true,
            Err(request) => request >= request::SHUT || is_wrong(Site::StepShutOffWaits),
        }
    }

    fn is_quiet(&self) -> bool {
        let ordering = if is_wrong(Site::QuietAcquire) {
            Relaxed
        } else {
            Acquire
        };
        !self.tasklet.is_running(ordering) || is_wrong(Site::StepSweepWaits)
    }

    fn retire_leaked(&self) -> bool {
        if is_wrong(Site::StepRetireEnablesAgain) {
            // Once, and never again.
            if self.step.replace(Step::Enabled) != Step::Enabled && self.is_disabled() {
                self.enable(true);
            }
        }
        let retired = self.retire();
        if retired {
            self.after_retired();
        }
        retired
    }
}

impl Entry for Core {
    fn step(&self) -> &Cell<Step> {
        &self.step
    }

    fn try_step(&self, step: Step) -> bool {
        self.tasklet.touch();
        match step {
            Step::Shut => self.shut_off(),
            Step::Quiet => self.is_quiet(),
            _ => self.retire_leaked(),
        }
    }

    fn claim_quiet(&self) {
        self.tasklet.touch();
        self.quiet.write(|quiet| *quiet = true);
    }

    fn is_worth_a_look(&self, step: Step) -> bool {
        match step {
            Step::Shut => [request::NONE, request::SHUT].contains(&self.newest_request()),
            Step::Quiet => !self.tasklet.is_running_by_now(),
            _ => {
                self.tasklet.is_disabled_by_now()
                    || !self.tasklet.is_running_by_now()
                        && (!self.tasklet.is_scheduled_by_now()
                            || self.newest_request() == request::HELD)
            }
        }
    }

    fn kill_as_before(&self) {
        if self.is_disabled() {
            self.discard();
        } else {
            self.ask(request::STOP);
        }
        self.tasklet.kill(Property::SweepEnds);
        self.ask(request::NONE);
    }

    fn is_listed(&self) -> bool {
        self.tasklet.is_listed()
    }

    fn free(&self) {
        self.tasklet.free();
    }
}

/// As there. A state is small here.
pub trait TaskletHandler: 'static {
    type State: Copy + 'static;

    fn run(&self, state: &mut Self::State, cx: &TaskletContext<'_>);
}

pub struct Tasklet<T: TaskletHandler> {
    core: Rc<Core>,
    handler: T,
    state: Plain<T::State>,
}

impl<T: TaskletHandler> Tasklet<T> {
    /// One that nothing can leak.
    pub fn new(handler: T, state: T::State, disabled: bool) -> Rc<Self> {
        Self::unregistered(handler, state, disabled, None)
    }

    fn unregistered(
        handler: T,
        state: T::State,
        disabled: bool,
        module: Option<Rc<Module>>,
    ) -> Rc<Self> {
        Rc::new_cyclic(|around: &Weak<Self>| Self {
            core: Core::new(around.clone(), disabled, module),
            handler,
            state: Plain::new(Property::StateExclusive, state),
        })
    }

    /// One that the module's end has to find if it is leaked, unless that has begun.
    pub fn registered(
        handler: T,
        state: T::State,
        disabled: bool,
        module: &Rc<Module>,
    ) -> Option<Rc<Self>> {
        let tasklet = Self::unregistered(handler, state, disabled, Some(module.clone()));
        if module.add(tasklet.core.clone()) {
            return Some(tasklet);
        }
        tasklet.core.end();
        None
    }

    pub fn handler(&self) -> &T {
        self.core.tasklet.touch();
        &self.handler
    }

    pub fn schedule(&self, cpu: &Cpu) {
        self.core.tasklet.schedule(cpu);
    }

    pub fn disable(&self) -> Disabled<'_> {
        self.core.tasklet.disable();

        Disabled { core: &self.core }
    }

    /// The guard of a disable that another thread had, for the end of its life.
    pub fn guard(&self) -> Disabled<'_> {
        Disabled { core: &self.core }
    }

    pub fn disable_nosync(&self) -> DisabledNosync<'_> {
        self.core.tasklet.disable_nosync();

        DisabledNosync {
            disabled: Disabled { core: &self.core },
        }
    }

    pub fn initial_disable(&self) -> Option<Disabled<'_>> {
        self.core.tasklet.touch();
        let was = xchg(&self.core.initial_disable, 0, Site::InitialDisableAtomic);

        if is_wrong(Site::StepInitialDisableForOne) {
            let guard = Disabled { core: &self.core };
            return Some(guard).filter(|_| was == 1);
        }
        (was == 1).then(|| Disabled { core: &self.core })
    }

    pub fn disable_mut(&self) -> DisabledMut<'_, T> {
        let counted = !self.core.is_disabled();

        if counted {
            self.core.tasklet.disable();
        } else if !is_wrong(Site::StepDisableMutWaits) {
            self.core.tasklet.unlock_wait();
        }

        DisabledMut {
            tasklet: self,
            counted,
        }
    }

    /// Lends the state to `f`, as the tasklet is idle.
    pub fn kill<R>(&self, f: impl FnOnce(&mut T::State) -> R) -> R {
        self.core.kill();
        self.state.write(f)
    }

    /// `PinnedDrop::drop`, and the end of the memory that the tasklet is in.
    pub fn drop_and_free(&self) {
        if !is_wrong(Site::StepDropKills) {
            self.core.end();
        }
        self.core.tasklet.free();
    }

    /// See [`TaskletStruct::wait_on`].
    pub fn wait_on(&self, cpu: &Rc<Cpu>) {
        self.core.tasklet.wait_on(cpu);
    }

    /// The state, once nothing can run any more and all runs have ended.
    pub fn last_state(&self) -> T::State {
        self.state.read(|state| *state)
    }
}

impl<T: TaskletHandler> Around for Tasklet<T> {
    fn tasklet(&self) -> &TaskletStruct {
        &self.core.tasklet
    }

    fn callback(&self, cpu: &Cpu) {
        if let Some(module) = &self.core.module {
            module.execute();
        }
        self.core.tasklet.touch();

        let request = self.core.request();
        let returns_at_once = if is_wrong(Site::StepCallbackIsShut) {
            request == request::DISCARD
        } else {
            request >= request::DISCARD
        };
        if returns_at_once {
            if !is_wrong(Site::StepCallbackHolds) {
                self.core.hold();
            }
        } else {
            self.run(cpu);
        }

        if let Some(module) = &self.core.module {
            module.execute();
        }
    }
}

impl<T: TaskletHandler> Tasklet<T> {
    /// The part of the callback that calls the handler.
    fn run(&self, cpu: &Cpu) {
        self.core.handler_runs();
        // An access takes no time, so there is one at the beginning of the run and one at its end.
        let mut state = self.state.write(|state| *state);
        self.handler.run(
            &mut state,
            &TaskletContext {
                core: &self.core,
                cpu,
            },
        );
        self.core.tasklet.touch();
        self.state.write(|place| *place = state);
        self.core.handler_runs();
    }
}

pub struct StaticTasklet<T: TaskletHandler> {
    tasklet: Rc<Tasklet<T>>,
    taken: AtomicI32,
}

impl<T: TaskletHandler> StaticTasklet<T> {
    pub fn new(handler: T, state: T::State) -> Self {
        Self {
            tasklet: Tasklet::new(handler, state, false),
            taken: AtomicI32::new(0),
        }
    }

    /// The tasklet in the place of its handle.
    pub fn take(&self) -> Option<&Tasklet<T>> {
        (xchg(&self.taken, 1, Site::TakenAtomic) == 0).then_some(&self.tasklet)
    }
}

pub struct TaskletContext<'a> {
    core: &'a Core,
    pub cpu: &'a Cpu,
}

impl TaskletContext<'_> {
    fn may_schedule(&self) -> bool {
        self.core.request() == request::NONE || is_wrong(Site::StepStop)
    }

    pub fn schedule(&self) {
        if self.may_schedule() {
            self.core.tasklet.schedule(self.cpu);
        }
    }
}

pub struct Disabled<'a> {
    core: &'a Core,
}

impl Drop for Disabled<'_> {
    fn drop(&mut self) {
        self.core.undo_disable();
    }
}

pub struct DisabledNosync<'a> {
    disabled: Disabled<'a>,
}

impl<'a> DisabledNosync<'a> {
    pub fn wait(self) -> Disabled<'a> {
        self.disabled.core.tasklet.unlock_wait();

        self.disabled
    }
}

pub struct DisabledMut<'a, T: TaskletHandler> {
    tasklet: &'a Tasklet<T>,
    counted: bool,
}

impl<T: TaskletHandler> DisabledMut<'_, T> {
    /// Lends the state to `f`, as the tasklet is disabled.
    pub fn state<R>(&mut self, f: impl FnOnce(&mut T::State) -> R) -> R {
        self.tasklet.state.write(f)
    }
}

impl<T: TaskletHandler> Drop for DisabledMut<'_, T> {
    fn drop(&mut self) {
        if self.counted {
            self.tasklet.core.undo_disable();
        }
    }
}
