// SPDX-License-Identifier: GPL-2.0

//! The properties, the defects that can be switched on, and how a failure is attributed to a
//! property.

use loom::cell::UnsafeCell;
use std::sync::{
    atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
    OnceLock,
};

/// What the wrapper guarantees, or needs for its guarantees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Property {
    StateExclusive,
    NotAfterFree,
    KillEnds,
    NoRunLost,
    Discarded,
    DisabledDoesNotRun,
    EnablesMatch,
    OneHandle,
    OneList,
    NoDataRace,
    SweepEnds,
    Quiet,
    OffLists,
    OffChain,
    NotAfterUnload,
}

impl Property {
    pub const ALL: [Property; 15] = [
        Property::StateExclusive,
        Property::NotAfterFree,
        Property::KillEnds,
        Property::NoRunLost,
        Property::Discarded,
        Property::DisabledDoesNotRun,
        Property::EnablesMatch,
        Property::OneHandle,
        Property::OneList,
        Property::NoDataRace,
        Property::SweepEnds,
        Property::Quiet,
        Property::OffLists,
        Property::OffChain,
        Property::NotAfterUnload,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Property::StateExclusive => "state-exclusive",
            Property::NotAfterFree => "not-after-free",
            Property::KillEnds => "kill-ends",
            Property::NoRunLost => "no-run-lost",
            Property::Discarded => "discarded",
            Property::DisabledDoesNotRun => "disabled-does-not-run",
            Property::EnablesMatch => "enables-match",
            Property::OneHandle => "one-handle",
            Property::OneList => "one-list",
            Property::NoDataRace => "no-data-race",
            Property::SweepEnds => "sweep-ends",
            Property::Quiet => "quiet",
            Property::OffLists => "off-lists",
            Property::OffChain => "off-chain",
            Property::NotAfterUnload => "not-after-unload",
        }
    }
}

/// The defects, of which one can be switched on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Site {
    // Orderings of the wrapper.
    CountRelease,
    RequestAtomic,
    InitialDisableAtomic,
    TakenAtomic,
    KillAtomic,
    // Orderings of the sweep.
    ShutAtomic,
    SweepFull,
    QuietAcquire,
    HeldAcquire,
    RetireRun,
    // Orderings of the kernel that the wrapper relies on.
    ScheduleRelease,
    ScheduleAcquire,
    TrylockFull,
    ClearSchedFull,
    ClearSchedAcquire,
    UnlockRelease,
    UnlockWaitAcquire,
    DisableFull,
    EnableRelease,
    // Steps of the wrapper.
    StepStop,
    StepDiscard,
    StepCountReset,
    StepRequestReset,
    StepInitialDisableReset,
    StepInitialDisableForOne,
    StepDropKills,
    StepDisableMutWaits,
    StepKillAsksFirst,
    StepKillRetires,
    StepCallbackIsShut,
    StepCallbackHolds,
    // Steps of the sweep.
    StepSweepAsBefore,
    StepSweepTogether,
    StepSweepWaits,
    StepShutOffWaits,
    StepRetireEnables,
    StepRetireEnablesAgain,
    StepRetireWaits,
    StepRetireKeepsSched,
    StepRetireKeepsRequest,
    StepAddLooksAgain,
    StepEndRemoves,
    StepHookLooks,
    StepFreeSweeps,
    StepOpenUnregisters,
    StepFreeUnregisters,
    // Steps of the kernel.
    StepKillTakesSched,
    StepKillWaits,
    StepDisableWaits,
    StepRunBit,
    StepSchedClearedFirst,
}

/// A defect: where it is, what it is, and the scenarios in which it must violate a property.
pub struct Mutant {
    pub site: Site,
    pub name: &'static str,
    pub what: &'static str,
    pub violates: &'static [(&'static str, Property)],
}

/// All defects. A name begins with what it is in: the wrapper's orderings, the kernel's orderings,
/// or the steps of either.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        site: Site::CountRelease,
        name: "wrapper.discard.count",
        what: "release to relaxed",
        violates: &[("leaked-guard-kill", Property::Discarded)],
    },
    Mutant {
        site: Site::RequestAtomic,
        name: "wrapper.request",
        what: "relaxed to not atomic",
        violates: &[("reschedule-kill", Property::NoDataRace)],
    },
    Mutant {
        site: Site::InitialDisableAtomic,
        name: "wrapper.initial_disable.xchg",
        what: "relaxed exchange to load and store",
        violates: &[("initial-disable-race", Property::EnablesMatch)],
    },
    Mutant {
        site: Site::TakenAtomic,
        name: "wrapper.take.xchg",
        what: "relaxed exchange to load and store",
        violates: &[("static-take-race", Property::OneHandle)],
    },
    Mutant {
        site: Site::ScheduleRelease,
        name: "kernel.tasklet_schedule.release",
        what: "full barrier to acquire",
        violates: &[("two-cpus", Property::NoRunLost)],
    },
    Mutant {
        site: Site::ScheduleAcquire,
        name: "kernel.tasklet_schedule.acquire",
        what: "full barrier to release",
        violates: &[("two-cpus", Property::OneList)],
    },
    Mutant {
        site: Site::TrylockFull,
        name: "kernel.tasklet_trylock.full",
        what: "full barrier to acquire and release",
        violates: &[
            ("disable-mut", Property::StateExclusive),
            ("live-guard", Property::DisabledDoesNotRun),
            ("leaked-by-another", Property::StateExclusive),
        ],
    },
    Mutant {
        site: Site::ClearSchedFull,
        name: "kernel.tasklet_clear_sched.full",
        what: "full barrier to acquire and release",
        violates: &[
            ("disable-mut", Property::StateExclusive),
            ("leaked-guard-kill", Property::Discarded),
        ],
    },
    Mutant {
        site: Site::ClearSchedAcquire,
        name: "kernel.tasklet_clear_sched.acquire",
        what: "full barrier to one before only",
        violates: &[("two-cpus", Property::NoRunLost)],
    },
    Mutant {
        site: Site::UnlockRelease,
        name: "kernel.tasklet_unlock.release",
        what: "release to relaxed",
        violates: &[
            ("schedule-kill", Property::StateExclusive),
            ("schedule-drop", Property::NotAfterFree),
        ],
    },
    Mutant {
        site: Site::UnlockWaitAcquire,
        name: "kernel.tasklet_unlock_wait.acquire",
        what: "acquire to relaxed",
        violates: &[
            ("schedule-kill", Property::StateExclusive),
            ("schedule-drop", Property::NotAfterFree),
        ],
    },
    Mutant {
        site: Site::DisableFull,
        name: "kernel.tasklet_disable_nosync.full",
        what: "full barrier to acquire and release",
        violates: &[
            ("disable-mut", Property::StateExclusive),
            ("live-guard", Property::DisabledDoesNotRun),
            ("leaked-by-another", Property::StateExclusive),
        ],
    },
    Mutant {
        site: Site::EnableRelease,
        name: "kernel.tasklet_enable.release",
        what: "full barrier to relaxed",
        violates: &[("disable-mut", Property::StateExclusive)],
    },
    Mutant {
        site: Site::StepStop,
        name: "step.context-asks-first",
        what: "the callback reschedules whatever is requested",
        violates: &[("reschedule-kill", Property::KillEnds)],
    },
    Mutant {
        site: Site::StepDiscard,
        name: "step.kill-requests-discard",
        what: "a kill enables a disabled tasklet and discards nothing",
        violates: &[("leaked-guard-kill", Property::Discarded)],
    },
    Mutant {
        site: Site::StepCountReset,
        name: "step.kill-resets-count",
        what: "a kill leaves a leaked disable alone",
        violates: &[("leaked-guard-kill", Property::KillEnds)],
    },
    Mutant {
        site: Site::StepRequestReset,
        name: "step.kill-withdraws-request",
        what: "a kill leaves its request behind",
        violates: &[("kill-reschedule", Property::NoRunLost)],
    },
    Mutant {
        site: Site::StepInitialDisableReset,
        name: "step.kill-spends-initial-disable",
        what: "a kill enables but leaves the initial disable to be released again",
        violates: &[("initial-disable-kill", Property::EnablesMatch)],
    },
    Mutant {
        site: Site::StepInitialDisableForOne,
        name: "step.initial-disable-guard-for-one",
        what: "the guard of the initial disable is made, and dropped, for those who come late",
        violates: &[("initial-disable-race", Property::EnablesMatch)],
    },
    Mutant {
        site: Site::StepDropKills,
        name: "step.drop-kills",
        what: "a drop does not kill",
        violates: &[("schedule-drop", Property::NotAfterFree)],
    },
    Mutant {
        site: Site::StepDisableMutWaits,
        name: "step.disable_mut-waits",
        what: "disable_mut does not wait if a guard was leaked",
        violates: &[("leaked-guard-disable-mut", Property::StateExclusive)],
    },
    Mutant {
        site: Site::StepKillTakesSched,
        name: "step.tasklet_kill-takes-sched",
        what: "tasklet_kill waits for the SCHED bit, but does not take it",
        violates: &[("reschedule-kill", Property::StateExclusive)],
    },
    Mutant {
        site: Site::StepKillWaits,
        name: "step.tasklet_kill-waits",
        what: "tasklet_kill does not wait for the RUN bit",
        violates: &[("schedule-kill", Property::StateExclusive)],
    },
    Mutant {
        site: Site::StepDisableWaits,
        name: "step.tasklet_disable-waits",
        what: "tasklet_disable does not wait for the RUN bit",
        violates: &[("live-guard", Property::DisabledDoesNotRun)],
    },
    Mutant {
        site: Site::StepRunBit,
        name: "step.run-bit",
        what: "there is no RUN bit, as in a kernel without CONFIG_SMP",
        violates: &[("two-cpus", Property::StateExclusive)],
    },
    Mutant {
        site: Site::StepSchedClearedFirst,
        name: "step.sched-cleared-first",
        what: "the SCHED bit is cleared after the callback",
        violates: &[("two-cpus", Property::NoRunLost)],
    },
    Mutant {
        site: Site::KillAtomic,
        name: "wrapper.kill_added.cmpxchg",
        what: "relaxed exchange to load and store",
        violates: &[("exit-kill", Property::KillEnds)],
    },
    Mutant {
        site: Site::ShutAtomic,
        name: "wrapper.shut_off.cmpxchg",
        what: "relaxed exchange to load and store",
        violates: &[("exit-kill", Property::SweepEnds)],
    },
    Mutant {
        site: Site::SweepFull,
        name: "unload.sweep.full",
        what: "full barrier to acquire and release",
        violates: &[("exit-pending", Property::Quiet)],
    },
    Mutant {
        site: Site::QuietAcquire,
        name: "wrapper.is_quiet.acquire",
        what: "acquire to relaxed",
        violates: &[("exit-pending", Property::Quiet)],
    },
    Mutant {
        site: Site::HeldAcquire,
        name: "wrapper.retire.request",
        what: "acquire to relaxed",
        violates: &[("exit-own-handle", Property::NotAfterUnload)],
    },
    Mutant {
        site: Site::RetireRun,
        name: "wrapper.retire.run",
        what: "acquire to relaxed",
        violates: &[("exit-own-handle", Property::NotAfterUnload)],
    },
    Mutant {
        site: Site::StepKillAsksFirst,
        name: "step.kill-asks-first",
        what: "a kill requests whatever was requested",
        violates: &[("exit-kill", Property::KillEnds)],
    },
    Mutant {
        site: Site::StepKillRetires,
        name: "step.kill-retires",
        what: "a kill of one that a sweep has shut competes for the SCHED bit",
        violates: &[("exit-kill", Property::KillEnds)],
    },
    Mutant {
        site: Site::StepCallbackIsShut,
        name: "step.callback-is-shut",
        what: "the callback runs the handler although a sweep has shut it",
        violates: &[("exit-pending", Property::Quiet)],
    },
    Mutant {
        site: Site::StepCallbackHolds,
        name: "step.callback-holds",
        what: "the callback does not keep the SCHED bit",
        violates: &[("exit-interrupts", Property::SweepEnds)],
    },
    Mutant {
        site: Site::StepSweepAsBefore,
        name: "step.sweep-as-before",
        what: "tasklets are killed one by one, each as its owner kills it",
        violates: &[
            ("exit-two", Property::OffLists),
            ("exit-state", Property::NotAfterUnload),
            ("load-fails", Property::NotAfterUnload),
            ("exit-own-handle", Property::SweepEnds),
            ("exit-own-guard", Property::SweepEnds),
            ("exit-guards", Property::SweepEnds),
        ],
    },
    Mutant {
        site: Site::StepSweepTogether,
        name: "step.sweep-together",
        what: "tasklets are shut off and ended one by one",
        violates: &[("exit-guards", Property::SweepEnds)],
    },
    Mutant {
        site: Site::StepSweepWaits,
        name: "step.sweep-waits",
        what: "tasklets are enabled before all are quiet",
        violates: &[("exit-pending", Property::Quiet)],
    },
    Mutant {
        site: Site::StepShutOffWaits,
        name: "step.shut_off-waits",
        what: "a tasklet that is being killed is not shut off",
        violates: &[("exit-kill", Property::Quiet)],
    },
    Mutant {
        site: Site::StepRetireEnables,
        name: "step.retire-enables",
        what: "disabled tasklets are not enabled",
        violates: &[("exit-disabled", Property::SweepEnds)],
    },
    Mutant {
        site: Site::StepRetireEnablesAgain,
        name: "step.retire-enables-again",
        what: "tasklets are enabled once, not as often as one looks",
        violates: &[("exit-leak", Property::SweepEnds)],
    },
    Mutant {
        site: Site::StepRetireWaits,
        name: "step.retire-waits",
        what: "one does not wait until the last callback is done",
        violates: &[("exit-own-handle", Property::NotAfterUnload)],
    },
    Mutant {
        site: Site::StepRetireKeepsSched,
        name: "step.retire-keeps-sched",
        what: "the SCHED bit is released in the end",
        violates: &[
            ("exit-schedule", Property::OffLists),
            ("exit-interrupts", Property::OffLists),
        ],
    },
    Mutant {
        site: Site::StepRetireKeepsRequest,
        name: "step.retire-keeps-request",
        what: "the request is withdrawn in the end",
        violates: &[("exit-kill", Property::KillEnds)],
    },
    Mutant {
        site: Site::StepAddLooksAgain,
        name: "step.add-looks-again",
        what: "one that is made while the module goes is not refused",
        violates: &[("exit-new", Property::OffLists)],
    },
    Mutant {
        site: Site::StepEndRemoves,
        name: "step.end-removes",
        what: "a drop leaves it in the list",
        violates: &[("exit-drop", Property::NotAfterFree)],
    },
    Mutant {
        site: Site::StepHookLooks,
        name: "step.hook-looks",
        what: "whether the module goes already is not looked at",
        violates: &[("exit-new", Property::NotAfterUnload)],
    },
    Mutant {
        site: Site::StepFreeSweeps,
        name: "step.free-sweeps",
        what: "nothing is ended where the parameters are freed first",
        violates: &[("load-fails", Property::OffLists)],
    },
    Mutant {
        site: Site::StepOpenUnregisters,
        name: "step.open-unregisters",
        what: "a hook that is registered too late stays registered",
        violates: &[("exit-new", Property::OffChain)],
    },
    Mutant {
        site: Site::StepFreeUnregisters,
        name: "step.free-unregisters",
        what: "the hook stays registered",
        violates: &[("exit-pending", Property::OffChain)],
    },
];

/// The defect of this process.
static WRONG: OnceLock<Site> = OnceLock::new();

pub fn make_wrong(site: Site) {
    WRONG.set(site).expect("one defect at a time");
}

pub fn is_wrong(site: Site) -> bool {
    WRONG.get() == Some(&site)
}

/// How many times loom began the scenario: in the end, the number of interleavings.
static ITERATIONS: AtomicUsize = AtomicUsize::new(0);

/// The property that the current access represents. All threads of a model share one real thread,
/// and none is switched to within an access.
static AT_STAKE: AtomicU8 = AtomicU8::new(NOTHING);

const NOTHING: u8 = u8::MAX;

/// The number of current waiters, for each property that says that a wait ends.
static WAITING: [AtomicU8; Property::ALL.len()] = [const { AtomicU8::new(0) }; Property::ALL.len()];

/// Called at the beginning of each interleaving.
pub fn begin() {
    ITERATIONS.fetch_add(1, Relaxed);
    for waiting in &WAITING {
        waiting.store(0, Relaxed);
    }
}

pub fn iterations() -> usize {
    ITERATIONS.load(Relaxed)
}

fn at_stake<R>(property: Property, access: impl FnOnce() -> R) -> R {
    AT_STAKE.store(property as u8, Relaxed);
    let result = access();
    AT_STAKE.store(NOTHING, Relaxed);
    result
}

/// Fails, attributed to the property, unless `holds`.
pub fn expect(property: Property, holds: bool, what: &str) {
    if !holds {
        at_stake(property, || panic!("{what}"));
    }
}

/// Calls `f`, which waits. If it does not return, this property fails.
pub fn ends<R>(property: Property, f: impl FnOnce() -> R) -> R {
    WAITING[property as usize].fetch_add(1, Relaxed);
    let result = f();
    WAITING[property as usize].fetch_sub(1, Relaxed);
    result
}

/// The property that a panic with this message is about.
pub fn blame(message: &str) -> Option<Property> {
    // loom's message for an interleaving that does not end.
    if message.contains("maximum number of branches") || message.contains("deadlock") {
        return Property::ALL
            .into_iter()
            .find(|&property| WAITING[property as usize].load(Relaxed) > 0);
    }

    let at_stake = usize::from(AT_STAKE.load(Relaxed));
    Property::ALL.get(at_stake).copied()
}

/// Memory without any synchronisation of its own. If loom finds two accesses, one of them a write,
/// that nothing orders, `property` fails.
pub struct Plain<T> {
    property: Property,
    cell: UnsafeCell<T>,
}

impl<T> Plain<T> {
    pub fn new(property: Property, value: T) -> Self {
        Self {
            property,
            cell: UnsafeCell::new(value),
        }
    }

    pub fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        at_stake(self.property, || {
            // SAFETY: loom panics before it returns a pointer that must not be read.
            self.cell.with(|value| f(unsafe { &*value }))
        })
    }

    pub fn write<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        at_stake(self.property, || {
            // SAFETY: loom panics before it returns a pointer that must not be written.
            self.cell.with_mut(|value| f(unsafe { &mut *value }))
        })
    }
}
