// SPDX-License-Identifier: GPL-2.0

//! The wrapper's side: `tasklet_wrap.rs` without the types that make misuse impossible. What they
//! ensure, such as that a kill has the tasklet to itself, is up to the scenarios.
//!
//! The functions have the names that they have there, and are in the same order.

use crate::{
    check::{is_wrong, Plain, Property, Site},
    kernel::{Cpu, TaskletStruct},
};
use loom::sync::atomic::{
    AtomicI32,
    Ordering::{Relaxed, Release},
};

mod request {
    pub(super) const NONE: i32 = 0;
    pub(super) const STOP: i32 = 1;
    pub(super) const DISCARD: i32 = 2;
}

/// An exchange that orders nothing. Only one of those who want the old value can get it.
fn xchg(atomic: &AtomicI32, value: i32, site: Site) -> i32 {
    if is_wrong(site) {
        let was = atomic.load(Relaxed);
        atomic.store(value, Relaxed);
        was
    } else {
        atomic.swap(value, Relaxed)
    }
}

struct Core {
    tasklet: TaskletStruct,
    request: AtomicI32,
    /// Is accessed along with `request` if that is not to be atomic.
    plain_request: Plain<()>,
    born_disabled: AtomicI32,
}

impl Core {
    fn new(disabled: bool) -> Self {
        Self {
            tasklet: TaskletStruct::new(i32::from(disabled)),
            request: AtomicI32::new(request::NONE),
            plain_request: Plain::new(Property::NoDataRace, ()),
            born_disabled: AtomicI32::new(i32::from(disabled)),
        }
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
    }

    fn is_disabled(&self) -> bool {
        self.tasklet.count() != 0
    }

    fn kill(&self) {
        if self.is_disabled() {
            self.discard();
        } else {
            self.ask(request::STOP);
        }

        self.tasklet.kill();

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
            let ordering = if is_wrong(Site::CountRelease) {
                Relaxed
            } else {
                Release
            };
            self.tasklet.set_count(0, ordering);
        }
        if !is_wrong(Site::StepBirthReset) {
            self.born_disabled.store(0, Relaxed);
        }
    }
}

/// As there. A state is small here.
pub trait TaskletHandler {
    type State: Copy;

    fn run(&self, state: &mut Self::State, cx: &TaskletContext<'_>);
}

pub struct Tasklet<T: TaskletHandler> {
    core: Core,
    handler: T,
    state: Plain<T::State>,
}

impl<T: TaskletHandler> Tasklet<T> {
    pub fn new(handler: T, state: T::State, disabled: bool) -> Self {
        Self {
            core: Core::new(disabled),
            handler,
            state: Plain::new(Property::StateExclusive, state),
        }
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

    pub fn disable_nosync(&self) -> DisabledNosync<'_> {
        self.core.tasklet.disable_nosync();

        DisabledNosync {
            disabled: Disabled { core: &self.core },
        }
    }

    pub fn born_disabled(&self) -> Option<Disabled<'_>> {
        self.core.tasklet.touch();
        let was = xchg(&self.core.born_disabled, 0, Site::BirthAtomic);

        if is_wrong(Site::StepBirthGuardForOne) {
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
            self.core.kill();
        }
        self.core.tasklet.free();
    }

    /// The softirqs of a CPU on which the tasklet is scheduled.
    pub fn softirqs(&self, cpu: &Cpu) {
        cpu.softirqs(&self.core.tasklet, &|| self.callback(cpu));
    }

    fn callback(&self, cpu: &Cpu) {
        self.core.tasklet.touch();
        if self.core.request() == request::DISCARD {
            return;
        }

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
    }
}

pub struct StaticTasklet<T: TaskletHandler> {
    tasklet: Tasklet<T>,
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
    cpu: &'a Cpu,
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
        self.core.tasklet.enable();
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
            self.tasklet.core.tasklet.enable();
        }
    }
}
