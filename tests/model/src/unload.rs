// SPDX-License-Identifier: GPL-2.0

//! A module that is unloaded: `unload.rs`, and the parts of kernel/module/main.c and
//! kernel/notifier.c that it relies on.

use crate::{
    check::{ends, expect, is_wrong, Plain, Property, Site},
    kernel::Cpu,
    wait::{give_way_until, Watchers},
};
use loom::sync::{
    atomic::{
        fence, AtomicUsize,
        Ordering::{AcqRel, Relaxed, SeqCst},
    },
    Mutex,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// What the sweep did last to an entry. It is written under the lock of the list only.
#[derive(Clone, Copy, Debug, Eq, PartialEq, PartialOrd)]
pub enum Step {
    None,
    Shut,
    Quiet,
    /// Of the defect that enables a tasklet only once, and not at each check.
    Enabled,
    Retired,
}

/// What safe code can leak.
pub trait Entry {
    fn step(&self) -> &Cell<Step>;

    /// Tries to take a step, without waiting. Returns whether it is taken.
    fn try_step(&self, step: Step) -> bool;

    /// Declares that its handler does not run any more, and never will.
    fn claim_quiet(&self);

    /// Whether trying that once more could have another result by now, outside of loom.
    fn is_worth_a_look(&self, step: Step) -> bool;

    /// What was done to it before there was a sweep, which some defects do.
    fn kill_as_before(&self);

    /// Whether the list of some CPU holds it.
    fn is_listed(&self) -> bool;

    /// The end of its memory.
    fn free(&self);
}

mod hook {
    pub(super) const NEW: usize = 0;
    pub(super) const REGISTERING: usize = 1;
    pub(super) const OPEN: usize = 2;
    pub(super) const CLOSED: usize = 3;
}

/// `MODULE_STATE_GOING`
const GOING: usize = 1;

/// A module, and what it has left.
pub struct Module {
    hook: AtomicUsize,
    list: Mutex<Vec<Rc<dyn Entry>>>,
    pub watchers: Rc<Watchers>,
    /// The CPU of the process that sweeps, if its softirqs have anything to do.
    pub cpu: RefCell<Option<Rc<Cpu>>>,
    /// Whether the code is gone.
    gone: Plain<bool>,
    /// All that was ever in the list, outside of loom.
    all: RefCell<Vec<Rc<dyn Entry>>>,

    /// `module.state`: 0, or [`GOING`].
    state: AtomicUsize,
    /// `module_notify_list`, and its lock: whether the module's block is in it.
    chain: Mutex<bool>,
}

impl Module {
    fn with(hook: usize) -> Rc<Self> {
        Rc::new(Self {
            hook: AtomicUsize::new(hook),
            list: Mutex::new(Vec::new()),
            watchers: Rc::new(Watchers::new()),
            cpu: RefCell::new(None),
            gone: Plain::new(Property::NotAfterUnload, false),
            all: RefCell::new(Vec::new()),
            state: AtomicUsize::new(0),
            chain: Mutex::new(hook == hook::OPEN),
        })
    }

    /// A module that has its hook.
    pub fn hooked() -> Rc<Self> {
        Self::with(hook::OPEN)
    }

    /// A module that has nothing that could be leaked yet.
    pub fn new() -> Rc<Self> {
        Self::with(hook::NEW)
    }

    /// Called before each piece of its code that the kernel calls.
    pub fn execute(&self) {
        self.gone
            .read(|gone| expect(Property::NotAfterUnload, !gone, "the code is gone"));
    }

    /// Registers the hook unless that is done. Returns whether anything that could be leaked may be
    /// made.
    fn prepare(&self) -> bool {
        loop {
            match self.hook.load(Relaxed) {
                hook::OPEN => return true,
                hook::CLOSED => return false,
                hook::NEW => {
                    let first =
                        self.hook
                            .compare_exchange(hook::NEW, hook::REGISTERING, Relaxed, Relaxed);
                    if first.is_ok() {
                        return self.register();
                    }
                }
                _ => give_way_until(|| true),
            }
        }
    }

    fn register(&self) -> bool {
        // register_module_notifier()
        *self.chain.lock().unwrap() = true;

        let next = if self.state.load(Relaxed) != GOING || is_wrong(Site::StepHookLooks) {
            hook::OPEN
        } else {
            hook::CLOSED
        };
        let registered = self
            .hook
            .compare_exchange(hook::REGISTERING, next, Relaxed, Relaxed);
        if registered.is_ok() && next == hook::OPEN {
            return true;
        }

        if !is_wrong(Site::StepOpenUnregisters) {
            self.unregister();
        }
        false
    }

    /// `unregister_module_notifier()`
    fn unregister(&self) {
        *self.chain.lock().unwrap() = false;
    }

    /// Puts an entry into the list. Returns whether the end had not begun; if it had, the caller
    /// takes the entry out again.
    pub fn add(&self, entry: Rc<dyn Entry>) -> bool {
        self.all.borrow_mut().push(entry.clone());
        self.list.lock().unwrap().push(entry);
        self.prepare() || is_wrong(Site::StepAddLooksAgain)
    }

    /// Takes an entry out of the list if it is there. Nobody touches it afterwards.
    pub fn remove(&self, entry: &dyn Entry) {
        self.list
            .lock()
            .unwrap()
            .retain(|other| !std::ptr::addr_eq(&**other, entry));
    }

    /// Ends everything that is left, for good.
    fn sweep(&self) {
        if is_wrong(Site::StepSweepAsBefore) {
            return self.sweep_as_before();
        }
        if is_wrong(Site::StepSweepTogether) {
            let all = self.list.lock().unwrap().clone();
            for entry in all.iter().rev() {
                let this = |other: &dyn Entry| std::ptr::addr_eq(other, &**entry);
                self.shut_off(&this);
                self.retire(&this);
            }
            return;
        }
        self.shut_off(&|_| true);
        self.retire(&|_| true);
    }

    /// The first two steps.
    fn shut_off(&self, those: &dyn Fn(&dyn Entry) -> bool) {
        self.sweep_step(Step::Shut, those);
        fence(if is_wrong(Site::SweepFull) {
            AcqRel
        } else {
            SeqCst
        });
        self.sweep_step(Step::Quiet, those);
    }

    /// The third step.
    fn retire(&self, those: &dyn Fn(&dyn Entry) -> bool) {
        if !is_wrong(Site::StepSweepTogether) {
            for entry in &*self.list.lock().unwrap() {
                entry.claim_quiet();
            }
        }
        self.sweep_step(Step::Retired, those);
    }

    /// A pass of the softirqs of this CPU, if there are any.
    fn interrupt(&self) -> bool {
        let cpu = self.cpu.borrow().clone();
        cpu.is_some_and(|cpu| cpu.interrupt())
    }

    fn sweep_step(&self, step: Step, those: &dyn Fn(&dyn Entry) -> bool) {
        self.interrupt();
        ends(Property::SweepEnds, || loop {
            let mut left = Vec::new();
            {
                let list = self.list.lock().unwrap();
                for entry in list.iter().filter(|entry| those(&***entry)) {
                    if entry.step().get() < step {
                        if entry.try_step(step) {
                            entry.step().set(step);
                        } else {
                            left.push(entry.clone());
                        }
                    }
                }
            }
            if left.is_empty() {
                return;
            }
            if !self.interrupt() {
                let raised = || {
                    self.cpu
                        .borrow()
                        .as_ref()
                        .is_some_and(|cpu| cpu.is_raised())
                };
                give_way_until(|| raised() || left.iter().any(|e| e.is_worth_a_look(step)));
            }
        });
    }

    /// As it was before: the last one that was made is killed first.
    fn sweep_as_before(&self) {
        loop {
            let last = self.list.lock().unwrap().last().cloned();
            match last {
                Some(entry) => {
                    entry.kill_as_before();
                    self.remove(&*entry);
                }
                None => return,
            }
        }
    }

    fn close(&self) {
        if self.hook.swap(hook::CLOSED, Relaxed) != hook::CLOSED {
            self.sweep();
        }
    }

    /// The `free` of the parameter.
    pub fn free(&self) {
        if !is_wrong(Site::StepFreeSweeps) {
            self.close();
        }
        if !is_wrong(Site::StepFreeUnregisters) {
            self.unregister();
        }
    }

    /// `delete_module()`, or `do_init_module()` of a module whose init fails, up to the point where
    /// the code goes.
    pub fn exit(&self) {
        self.going();
        self.free();
    }

    /// The notifiers for `MODULE_STATE_GOING`.
    pub fn going(&self) {
        self.state.store(GOING, Relaxed);
        // blocking_notifier_call_chain(): the lock is held meanwhile.
        let chain = self.chain.lock().unwrap();
        if *chain {
            self.close();
        }
    }

    /// `module_arch_cleanup()`: from here on, indirect calls of the module lead nowhere.
    pub fn clean_up(&self) {
        self.gone.write(|gone| *gone = true);
    }

    /// The part of [`exit`](Self::exit) up to the third step, where nobody is in the way.
    pub fn begin_exit(&self) {
        self.hook.store(hook::CLOSED, Relaxed);
        self.shut_off(&|_| true);
    }

    /// The rest of it.
    pub fn end_exit(&self) {
        self.retire(&|_| true);
        self.free();
    }

    /// `load_module()` that fails where the parameters are freed before, or without, the chain.
    pub fn fail_to_load(&self) {
        self.free();
    }

    /// The end of the code, and of what is in the module's own memory: for a static that is the
    /// tasklet. All who ran the module's code are done, but for what softirqs call.
    pub fn unload(&self) {
        let registered = *self.chain.lock().unwrap();
        expect(Property::OffChain, !registered, "its block is in the chain");
        self.gone.write(|gone| *gone = true);
        for entry in &*self.all.borrow() {
            expect(
                Property::OffLists,
                !entry.is_listed(),
                "a list of a CPU holds it",
            );
            entry.free();
        }
        self.all.borrow_mut().clear();
        self.list.lock().unwrap().clear();
    }
}
