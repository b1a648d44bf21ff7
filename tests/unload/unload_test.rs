// SPDX-License-Identifier: GPL-2.0

//! A module that leaks everything that safe code can leak. `tests/guest/unload.sh` unloads it.
//!
//! Each parameter except `fail` is a scenario. There is no `unsafe` in this file.

use core::{hint::black_box, mem::forget, pin::Pin};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    str::CStr,
    sync::{
        atomic::{ordering::Relaxed, Atomic},
        Arc, SetOnce,
    },
    time::{
        delay::{fsleep, udelay},
        Delta,
    },
};

#[path = "../../bh_work.rs"]
pub mod bh_work;
#[path = "../../completion.rs"]
pub mod completion;
#[path = "../../proc_files.rs"]
pub mod proc_files;
#[path = "../../tasklet_wrap.rs"]
pub mod tasklet_wrap;
#[path = "../../unload.rs"]
pub mod unload;
#[path = "../../versions.rs"]
pub mod versions;
mod work;

use completion::Completion;
use proc_files::{ProcFile, Show};
use tasklet_wrap::{StaticTasklet, Tasklet, TaskletContext, TaskletHandle, TaskletHandler};
use work::{show_queues, work_and_tasklets, work_drops, work_in_a_ring, work_itself, work_makes};

/// Defines a parameter for each scenario, and a function that leaks what the parameters select.
macro_rules! scenarios {
    ($($name:ident: $description:tt,)*) => {
        module! {
            type: UnloadTest,
            name: "unload_test",
            authors: ["The jitasklet authors"],
            description: "Leaks what safe code can leak",
            license: "GPL",
            params: {
                fail: i32 {
                    default: 0,
                    description: "1: fail to load after leaking",
                },
                $($name: i32 {
                    default: 0,
                    description: $description,
                },)*
            },
        }

        fn leak_selected() -> Result {
            $(if versions::parameter(&module_parameters::$name) != 0 {
                $name()?;
            })*
            Ok(())
        }
    };
}

scenarios! {
    two_statics: "1: one static tasklet schedules itself and another one, which schedules itself",
    two_each_other: "1: two static tasklets that schedule each other but not themselves",
    three_in_a_ring: "1: three static tasklets that schedule each other, at both priorities",
    own_handle: "1: tasklets that schedule themselves through their handles",
    own_guard: "1: a tasklet that does the same, and leaks a guard of itself during the exit",
    disabled_statics: "1: disabled static tasklets that are scheduled",
    disabled_by_another: "1: a tasklet that is scheduled, disabled and enabled by another one",
    long_runs: "1: a tasklet that runs most of the time",
    indirect_calls: "1: a tasklet that reschedules itself and calls through pointers",
    owner: "1: a tasklet whose state owns another one, and that reschedules both",
    disabled: "1: tasklets on the heap that are disabled and scheduled",
    show_makes: "1: a file whose show waits for a signal, then makes and leaks another file",
    show_schedules: "1: a file whose show waits for a signal, then schedules tasklets",
    show_queues: "1: a file whose show waits for a signal, then queues work items",
    work_itself: "1: work items that queue themselves, one on each queue",
    work_in_a_ring: "1: three work items on different queues that queue each other",
    work_and_tasklets: "1: work items and a tasklet that schedule each other",
    work_makes: "1: a work item that makes and leaks more during the exit",
    work_drops: "1: a work item that drops what it owns during the exit",
}

struct UnloadTest;

impl kernel::Module for UnloadTest {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        leak_selected()?;
        if versions::parameter(&module_parameters::fail) != 0 {
            if FILES.load(Relaxed) != 0 {
                await_count(&READERS, 1)?;
            }
            LEAVING.store(1, Relaxed);
            return Err(EBUSY);
        }
        Ok(Self)
    }
}

impl Drop for UnloadTest {
    fn drop(&mut self) {
        LEAVING.store(1, Relaxed);
    }
}

/// Whether the exit, or a failure to load, has begun.
static LEAVING: Atomic<i32> = Atomic::new(0);

/// The numbers of runs, of leaked files, and of readers.
static RUNS: Atomic<i32> = Atomic::new(0);
static FILES: Atomic<i32> = Atomic::new(0);
static READERS: Atomic<i32> = Atomic::new(0);

/// Waits until `count` is at least `least`. Gives up after a minute.
fn await_count(count: &Atomic<i32>, least: i32) -> Result {
    for _ in 0..60_000 {
        if count.load(Relaxed) >= least {
            return Ok(());
        }
        fsleep(Delta::from_millis(1));
    }
    Err(ETIMEDOUT)
}

/// Waits until the leaked handlers are running.
fn await_runs() -> Result {
    await_count(&RUNS, 20)
}

/// A tasklet's handler that calls a function.
struct Calls(fn(&TaskletContext<'_>));

impl TaskletHandler for Calls {
    type State = ();

    fn run(self: Pin<&Self>, (): &mut (), cx: &TaskletContext<'_>) {
        RUNS.add(1, Relaxed);
        (self.get_ref().0)(cx);
    }
}

/// A static tasklet and its handle, which any callback can use.
struct Shared {
    tasklet: StaticTasklet<Calls>,
    handle: SetOnce<TaskletHandle<Calls>>,
}

impl Shared {
    const fn new(run: fn(&TaskletContext<'_>)) -> Self {
        Self {
            tasklet: StaticTasklet::new(Calls(run), ()),
            handle: SetOnce::new(),
        }
    }

    const fn new_disabled(run: fn(&TaskletContext<'_>)) -> Self {
        Self {
            tasklet: StaticTasklet::new_disabled(Calls(run), ()),
            handle: SetOnce::new(),
        }
    }

    /// Leaks the handle: a static is not dropped.
    fn leak(&'static self) -> Result {
        let handle = self.tasklet.take().ok_or(ENODEV)?;

        self.handle.populate(handle);
        Ok(())
    }

    fn with(&'static self, f: impl FnOnce(&'static Tasklet<Calls>)) {
        if let Some(handle) = self.handle.as_ref() {
            f(handle);
        }
    }

    fn schedule(&'static self) {
        self.with(|tasklet| tasklet.schedule());
    }

    fn hi_schedule(&'static self) {
        self.with(|tasklet| tasklet.hi_schedule());
    }

    /// Leaks a guard.
    fn disable(&'static self) {
        self.with(|tasklet| forget(tasklet.disable_nosync()));
    }
}

fn nothing(_: &TaskletContext<'_>) {}

fn again(cx: &TaskletContext<'_>) {
    cx.schedule();
}

fn two_statics() -> Result {
    static OTHER: Shared = Shared::new(again);
    static BOTH: Shared = Shared::new(|cx| {
        OTHER.schedule();
        cx.schedule();
    });

    BOTH.leak()?;
    OTHER.leak()?;
    BOTH.schedule();
    await_runs()
}

fn two_each_other() -> Result {
    static PING: Shared = Shared::new(|_| PONG.schedule());
    static PONG: Shared = Shared::new(|_| PING.schedule());

    PING.leak()?;
    PONG.leak()?;
    PING.schedule();
    await_runs()
}

fn three_in_a_ring() -> Result {
    static FIRST: Shared = Shared::new(|_| SECOND.hi_schedule());
    static SECOND: Shared = Shared::new(|_| THIRD.schedule());
    static THIRD: Shared = Shared::new(|_| {
        FIRST.schedule();
        SECOND.hi_schedule();
    });

    FIRST.leak()?;
    SECOND.leak()?;
    THIRD.leak()?;
    FIRST.schedule();
    await_runs()
}

fn own_handle() -> Result {
    static NORMAL: Shared = Shared::new(|_| NORMAL.schedule());
    static HI: Shared = Shared::new(|_| HI.hi_schedule());

    NORMAL.leak()?;
    HI.leak()?;
    NORMAL.schedule();
    HI.hi_schedule();
    await_runs()
}

fn own_guard() -> Result {
    static SINCE: Atomic<i32> = Atomic::new(0);
    static OWN: Shared = Shared::new(|_| {
        OWN.schedule();
        // By then a kill of the tasklet has begun, and may have ended.
        if LEAVING.load(Relaxed) != 0 && SINCE.fetch_add(1, Relaxed) == 100_000 {
            OWN.disable();
        }
    });

    OWN.leak()?;
    OWN.schedule();
    await_runs()
}

fn disabled_statics() -> Result {
    static INITIALLY: Shared = Shared::new_disabled(again);
    static GUARDED: Shared = Shared::new(again);

    INITIALLY.leak()?;
    INITIALLY.schedule();
    GUARDED.leak()?;
    GUARDED.hi_schedule();
    GUARDED.disable();
    Ok(())
}

fn disabled_by_another() -> Result {
    static DISABLED: Shared = Shared::new(again);
    static OTHER: Shared = Shared::new(|cx| {
        DISABLED.with(|tasklet| {
            let guard = tasklet.disable_nosync();
            tasklet.schedule();
            if LEAVING.load(Relaxed) == 0 {
                guard.enable();
            } else {
                forget(guard);
            }
        });
        cx.schedule();
    });

    OTHER.leak()?;
    DISABLED.leak()?;
    OTHER.schedule();
    await_runs()
}

fn long_runs() -> Result {
    static LONG: Shared = Shared::new(|cx| {
        cx.schedule();
        udelay(Delta::from_micros(1_000));
    });

    LONG.leak()?;
    LONG.schedule();
    await_runs()
}

fn indirect_calls() -> Result {
    macro_rules! calls {
        ($($n:tt)*) => { $(black_box(nothing as fn(&TaskletContext<'_>))($n);)* };
    }

    // Some of the calls are in the lower half of a cache line, and some in the upper half. Where
    // the kernel mitigates ITS, those in one half go through thunks.
    static INDIRECT: Shared = Shared::new(|cx| {
        calls!(cx cx cx cx cx cx cx cx cx cx cx cx cx cx cx cx);
        cx.schedule();
    });

    INDIRECT.leak()?;
    INDIRECT.schedule();
    await_runs()
}

/// Schedules itself and the tasklet that its state owns.
struct Owner;

impl TaskletHandler for Owner {
    type State = Option<Arc<Tasklet<Calls>>>;

    fn run(self: Pin<&Self>, owned: &mut Self::State, cx: &TaskletContext<'_>) {
        if let Some(tasklet) = owned {
            tasklet.schedule();
        }
        cx.schedule();
    }
}

fn owner() -> Result {
    let mut owner = KBox::pin_init(Tasklet::new(Owner, None), GFP_KERNEL)?;
    let owned = Arc::pin_init(Tasklet::new(Calls(again), ()), GFP_KERNEL)?;

    *owner.as_mut().disable_mut().state() = Some(owned);
    owner.schedule();
    forget(owner);
    await_runs()
}

fn disabled() -> Result {
    let initially = KBox::pin_init(Tasklet::new_disabled(Calls(again), ()), GFP_KERNEL)?;
    initially.schedule();
    forget(initially);

    let guarded = KBox::pin_init(Tasklet::new(Calls(again), ()), GFP_KERNEL)?;
    forget(guarded.disable());
    guarded.hi_schedule();
    forget(guarded);

    let idle = KBox::pin_init(Tasklet::new(Calls(again), ()), GFP_KERNEL)?;
    forget(idle.disable_nosync());
    forget(idle);
    Ok(())
}

/// Waits, in the `show` of a file, until a signal ends the read.
fn await_signal() {
    pin_init::stack_pin_init!(let never = Completion::new());

    READERS.add(1, Relaxed);
    pr_info!("a reader waits\n");
    let _ = never.wait_for_completion_interruptible();
}

fn leak_file<T: Show>(name: &CStr) -> Result {
    forget(ProcFile::<T>::new(name, 0o444)?);
    FILES.add(1, Relaxed);
    Ok(())
}

/// A file that shows nothing.
struct Empty;

impl Show for Empty {
    fn show(_: &SeqFile) -> Result {
        Ok(())
    }
}

fn show_makes() -> Result {
    struct Makes;

    impl Show for Makes {
        fn show(_: &SeqFile) -> Result {
            await_signal();
            leak_file::<Empty>(c"unload_made")
        }
    }

    leak_file::<Makes>(c"unload_waits")
}

fn show_schedules() -> Result {
    static NORMAL: Shared = Shared::new(again);
    static HI: Shared = Shared::new(|_| HI.hi_schedule());

    struct Schedules;

    impl Show for Schedules {
        fn show(_: &SeqFile) -> Result {
            await_signal();
            NORMAL.schedule();
            HI.hi_schedule();
            Ok(())
        }
    }

    NORMAL.leak()?;
    HI.leak()?;
    leak_file::<Schedules>(c"unload_waits")
}
