// SPDX-License-Identifier: GPL-2.0

//! Tasklets: small pieces of work that softirqs run soon, one CPU at a time.
//!
//! A tasklet is how an interrupt handler defers work that need not run with interrupts disabled. It
//! runs in softirq context: as soon as the interrupt ends or, if too much work is pending, in the
//! thread `ksoftirqd` of the CPU that scheduled it. It may not sleep. It never runs on two CPUs at
//! the same time, while different tasklets may.
//!
//! # When not to use one
//!
//! Tasklets have been deprecated since 2020. A new driver should use a threaded interrupt handler
//! (`kernel::irq::ThreadedRegistration`), which may sleep, or a work item on a BH workqueue
//! (`kernel::workqueue::system_bh`), which runs in the same context as a tasklet.
//!
//! # Vocabulary
//!
//! A [`Tasklet`] owns everything that its callback touches: a [`TaskletHandler`], which is shared,
//! and the handler's [`State`](TaskletHandler::State), which only the callback may touch while it
//! can run. There are three ways to make one:
//!
//! - [`Tasklet::scope`] lends a tasklet to a closure and kills it when the closure is done;
//! - [`Tasklet::new`] makes one that lives in a `Box`, an `Arc` or another structure;
//! - [`StaticTasklet::new`] is one that lives as long as the module.
//!
//! ```text
//!                 schedule                  softirq
//!      +--------+          +-------------+            +-----------+
//!  --->|  idle  |--------->|  scheduled  |----------->|  running  |---+
//!      +--------+          +-------------+            +-----------+   |
//!       ^      ^            |     ^    ^                  |     |     |
//!       |      |    kill    |     |    |  scheduled again |     |     |
//!       |      +------------+     |    |  meanwhile       |     |     |
//!       |      if it is disabled  |    +------------------+     |     |
//!       |                         | returns                     |     |
//!       +-------------------------|-----------------------------+     |
//!       |                         | reschedules itself                |
//!       |                         +-----------------------------------+
//!       | kill: waits until it is here, and enables it
//! ```
//!
//! Independently of that, it is *disabled* while it has been disabled more often than enabled: a
//! scheduled tasklet then stays scheduled. Scheduling a scheduled tasklet changes nothing, not even
//! its priority.
//!
//! # From C to Rust
//!
//! | C | Rust | called from |
//! | --- | --- | --- |
//! | `tasklet_setup`, `tasklet_init` | [`Tasklet::new`], [`Tasklet::scope`] | process |
//! | `DECLARE_TASKLET` | [`StaticTasklet::new`], [`StaticTasklet::take`] | process |
//! | `DECLARE_TASKLET_DISABLED` | [`StaticTasklet::new_disabled`], [`Tasklet::new_disabled`] | process |
//! | the enable that releases the initial disable | [`Tasklet::initial_disable`] | any |
//! | `tasklet_schedule` | [`Tasklet::schedule`], [`TaskletContext::schedule`] | any |
//! | `tasklet_hi_schedule` | [`Tasklet::hi_schedule`], [`TaskletContext::hi_schedule`] | any |
//! | `tasklet_disable` | [`Tasklet::disable`], [`Tasklet::disable_mut`] | process, may sleep |
//! | `tasklet_disable_nosync` | [`Tasklet::disable_nosync`] | any |
//! | `tasklet_unlock_wait` | [`DisabledNosync::wait`] | process, may sleep |
//! | `tasklet_enable` | the drop of a guard, or its `enable` | any |
//! | `tasklet_kill` | [`Tasklet::kill`], the drop of a tasklet | process, may sleep |
//!
//! *Any* is process, softirq and hard interrupt context. Functions that may sleep call
//! `might_sleep`.
//!
//! # Examples
//!
//! Counting events that an interrupt handler reports, for as long as a device exists. The count
//! needs no lock, although interrupts report events meanwhile:
//!
//! ```
//! use core::pin::Pin;
//! use kernel::prelude::*;
//! use tasklet_wrap::{Tasklet, TaskletContext, TaskletHandler};
//!
//! struct Events;
//!
//! impl TaskletHandler for Events {
//!     type State = u64;
//!
//!     fn run(self: Pin<&Self>, count: &mut u64, _cx: &TaskletContext<'_>) {
//!         *count += 1;
//!     }
//! }
//!
//! #[pin_data]
//! struct Device {
//!     #[pin]
//!     events: Tasklet<Events>,
//! }
//!
//! impl Device {
//!     fn new() -> impl PinInit<Self, Error> {
//!         try_pin_init!(Self {
//!             events <- Tasklet::new(Events, 0),
//!         })
//!     }
//!
//!     /// Called from the interrupt handler.
//!     fn interrupt(&self) {
//!         self.events.schedule();
//!     }
//! }
//!
//! /// In process context; may sleep.
//! fn count_so_far(events: Pin<&mut Tasklet<Events>>) -> u64 {
//!     *events.disable_mut().state()
//! }
//! ```
//!
//! A tasklet for the duration of a call. It reschedules itself until it has run three times, and is
//! killed by the end of the call in any case:
//!
//! ```
//! use core::pin::Pin;
//! use kernel::{prelude::*, sync::Completion};
//! use tasklet_wrap::{Tasklet, TaskletContext, TaskletHandler};
//!
//! #[pin_data]
//! struct ThreeRuns {
//!     #[pin]
//!     done: Completion,
//! }
//!
//! impl TaskletHandler for ThreeRuns {
//!     type State = u32;
//!
//!     fn run(self: Pin<&Self>, runs: &mut u32, cx: &TaskletContext<'_>) {
//!         *runs += 1;
//!         if *runs < 3 {
//!             cx.schedule();
//!         } else {
//!             self.done.complete_all();
//!         }
//!     }
//! }
//!
//! /// In process context; sleeps.
//! fn three_runs() -> Result<u32> {
//!     let handler = pin_init!(ThreeRuns { done <- Completion::new() });
//!
//!     Tasklet::scope(handler, 0, |mut tasklet| {
//!         tasklet.schedule();
//!         tasklet.as_ref().handler().get_ref().done.wait_for_completion();
//!         *tasklet.as_mut().kill()
//!     })
//! }
//! ```
//!
//! # Guarantees
//!
//! - **What the callback touches is alive.** The tasklet owns it, or borrows what outlives the
//!   tasklet, and drops it only after a kill: `PinnedDrop` runs before the drop of any field. It
//!   never moves, as it can only be initialised in place and is not `Unpin`.
//! - **The callback has its state to itself.** Softirq code takes the RUN bit of a tasklet before
//!   it calls the callback, so there is one at a time. Process context gets the state from [`kill`]
//!   and [`disable_mut`], which wait for that bit, and which borrow the tasklet exclusively: while
//!   the state is lent nobody can schedule or enable the tasklet. (The end of the module may enable
//!   it, after having made sure that its callback returns at once.)
//! - **A kill returns,** unless the tasklet's own callback calls it. It lets softirq code run what
//!   is pending; where the run is discarded, the callback returns at once. Nothing schedules the
//!   tasklet meanwhile: a [`TaskletContext`] does not, and everything else would need the tasklet,
//!   which is borrowed exclusively. See `Core::kill`.
//! - **Enables match disables.** Making a guard disables the tasklet once, and dropping the guard,
//!   which happens at most once, enables it once. A leaked guard leaves the tasklet disabled until
//!   it is killed. While leaked guards keep a tasklet disabled, [`disable_mut`] neither disables
//!   nor enables it.
//! - **The callback's parameters themselves offer nothing that sleeps:** a shared reference to the
//!   handler, the state and the context.
//! - **No callback outlives its module,** whatever was leaked. A tasklet that can be leaked has an
//!   entry in the list of `unload.rs`. Before the module's code is freed, every tasklet in it is
//!   shut off for good: its handler is no longer called, and once its last run has ended and none
//!   of the kernel's lists holds it, it never runs again, even if somebody schedules or disables
//!   it. From then on `new` fails and `take` returns `None`. This holds where the file is part of
//!   the module that uses it; the limits in `unload.rs` say what does not hold for code that is
//!   built in.
//! - **Scheduling and running take no lock and no memory** of their own.
//!
//! # Known limits
//!
//! - The driver may put values into the handler or the state with which the callback can sleep, or
//!   kill or drop a tasklet, even its own: an `Arc` of a tasklet, for example. As everywhere in the
//!   kernel's Rust, the types do not track contexts. A kernel with CONFIG_DEBUG_ATOMIC_SLEEP
//!   reports it. A kill of a tasklet in its own callback waits for ever for the RUN bit, so nothing
//!   that the callback uses is dropped.
//! - A kernel without `CONFIG_SMP` is refused at compile time unless it is PREEMPT_RT: it has no
//!   RUN bit.
//! - The handler of a static must be made by a `const fn`, which rules out locks and completions.
//! - A disabled tasklet that is scheduled keeps `ksoftirqd` of its CPU busy until it is enabled or
//!   killed. The same is true in C.
//! - A run that a callback requests through its context while the tasklet is being killed does not
//!   take place, and neither does any run that is requested once the module is going.
//!
//! C header: [`include/linux/interrupt.h`](srctree/include/linux/interrupt.h); the code is in
//! [`kernel/softirq.c`](srctree/kernel/softirq.c).
//!
//! [`kill`]: Tasklet::kill
//! [`disable_mut`]: Tasklet::disable_mut

use core::{
    cell::UnsafeCell,
    marker::{PhantomData, PhantomPinned},
    ops::Deref,
    pin::Pin,
};
use kernel::{
    bindings, container_of, ffi,
    prelude::*,
    sync::atomic::{ordering, Atomic},
    types::{NotThreadSafe, Opaque},
};
use pin_init::Wrapper;

use super::unload::{sleep_a_tick, Entry, Group, Operations};
use bindings::tasklet_unlock_wait;

// The inlines of <linux/interrupt.h>, which bindgen cannot see: see helpers/.
extern "C" {
    #[link_name = "rust_helper_tasklet_schedule"]
    fn tasklet_schedule(t: *mut bindings::tasklet_struct);
    #[link_name = "rust_helper_tasklet_hi_schedule"]
    fn tasklet_hi_schedule(t: *mut bindings::tasklet_struct);
    #[link_name = "rust_helper_tasklet_disable"]
    fn tasklet_disable(t: *mut bindings::tasklet_struct);
    #[link_name = "rust_helper_tasklet_disable_nosync"]
    fn tasklet_disable_nosync(t: *mut bindings::tasklet_struct);
    #[link_name = "rust_helper_tasklet_enable"]
    fn tasklet_enable(t: *mut bindings::tasklet_struct);
}

// Inlines of <linux/bitops.h>.
extern "C" {
    #[link_name = "rust_helper_test_and_set_bit"]
    fn test_and_set_bit(nr: ffi::c_ulong, addr: *mut ffi::c_ulong) -> bool;
    #[link_name = "rust_helper_test_bit_acquire"]
    fn test_bit_acquire(nr: ffi::c_ulong, addr: *const ffi::c_ulong) -> bool;
}

// Without both, the kernel has no RUN bit, because only the callback itself could wait for a
// running callback: one that gets hold of its own tasklet would not wait for itself, but continue.
const _: () = assert!(
    cfg!(any(CONFIG_SMP, CONFIG_PREEMPT_RT)),
    "a kernel without CONFIG_SMP does not mark tasklets that run, which the guarantees stand on"
);

/// What a tasklet does when it runs, and what it shares with the rest of the driver.
///
/// The handler itself is shared: the callback and process context use it at the same time, which is
/// why it is [`Sync`]. What only the callback touches goes into the `State`, and needs no lock.
///
/// A handler and its state may borrow, for a tasklet of [`Tasklet::scope`]. All other tasklets
/// require `'static`.
pub trait TaskletHandler: Sync {
    /// What only a running tasklet may touch.
    ///
    /// It is [`Send`] because the callback runs on whichever CPU scheduled it, while another thread
    /// made the state and gets it back.
    type State: Send;

    /// The callback.
    ///
    /// Runs in softirq context with hardware interrupts enabled: it must not sleep. It never runs
    /// twice at the same time, wherever it is scheduled from.
    fn run(self: Pin<&Self>, state: &mut Self::State, cx: &TaskletContext<'_>);
}

/// What is requested of the callback: nothing, unless the tasklet is being killed or the module is
/// going.
mod request {
    /// Run, and reschedule at will.
    pub(super) const NONE: i32 = 0;
    /// Run, but do not reschedule.
    pub(super) const STOP: i32 = 1;
    /// Return at once. With this value or a greater one, the handler is not called.
    pub(super) const DISCARD: i32 = 2;
    /// As `DISCARD`, for good. Take the SCHED bit, and keep it.
    pub(super) const SHUT: i32 = 3;
    /// As `SHUT`, and the SCHED bit was taken for good.
    pub(super) const HELD: i32 = 4;
}

/// The part of a tasklet that does not depend on its handler.
///
/// # Invariants
///
/// - `tasklet` is initialised, its callback is [`callback`] of the `T` of the [`Tasklet<T>`] that
///   this core is a field of, and it stays at its address for as long as the core lives.
/// - `tasklet.count` is, modulo 2^32, the number of disables that were counted less the number of
///   those that were undone, since it was last set to 0 by a kill or by the end of the module. Each
///   guard counts one when it is made and undoes one when it is dropped, but for a [`DisabledMut`]
///   with `counted` false; the initial disable counts one, which its guard undoes. While a guard
///   lives, only the end of the module sets `count` to 0, and only after `request` became
///   [`SHUT`](request::SHUT).
/// - `request` is [`STOP`](request::STOP) or [`DISCARD`](request::DISCARD) only during a kill,
///   which alone changes it then, and after the last one. Once it is `SHUT` it becomes nothing but
///   [`HELD`](request::HELD), which is written by the code that set the SCHED bit while it was
///   `SHUT`. With `HELD` the SCHED bit stays set, and the tasklet is in no list of the kernel's.
/// - `added` is [`ADDED`], and `entry` is added before anybody uses the tasklet; or it is `None`,
///   `entry` was not added, and nobody but the owner of the tasklet writes `request`.
#[pin_data]
struct Core {
    #[pin]
    tasklet: Opaque<bindings::tasklet_struct>,
    request: Atomic<i32>,
    initial_disable: Atomic<i32>,
    /// `None` for a tasklet of a scope, and for a static that nobody has taken.
    added: Option<&'static Added>,
    entry: Entry,
    #[pin]
    _pin: PhantomPinned,
}

/// How to kill a tasklet in the list of those that may be leaked.
///
/// By reference, so that a module with scoped tasklets only does not contain the code.
struct Added {
    kill: unsafe fn(&Core),
    end: unsafe fn(&Core),
}

const ADDED: Added = Added {
    kill: Core::kill_added,
    end: Core::end_added,
};

/// How to end a leaked tasklet.
const OPERATIONS: Operations = Operations::Handler(
    Group::Softirq,
    [Core::shut_off, Core::is_quiet, Core::retire_leaked],
);

impl Core {
    /// Makes a core, which must become a field of a `Tasklet<T>` for the same `T`.
    const fn new<T: TaskletHandler>(disabled: bool, added: Option<&'static Added>) -> Self {
        let disabled = if disabled { 1 } else { 0 };

        // INVARIANT: These are the values that `tasklet_setup` and `DECLARE_TASKLET` set, with one
        // disable if need be. The entry is in no list.
        Self {
            tasklet: Opaque::new(bindings::tasklet_struct {
                next: core::ptr::null_mut(),
                state: 0,
                count: bindings::atomic_t { counter: disabled },
                use_callback: true,
                __bindgen_anon_1: bindings::tasklet_struct__bindgen_ty_1 {
                    callback: Some(callback::<T>),
                },
                data: 0,
            }),
            request: Atomic::new(request::NONE),
            initial_disable: Atomic::new(disabled),
            added,
            entry: Entry::unlisted(),
            _pin: PhantomPinned,
        }
    }

    /// The current request to the callback.
    #[inline(always)]
    fn request(&self) -> i32 {
        // SAFETY: The word is initialised, and aligned. A volatile access is C's `READ_ONCE`, for
        // which a relaxed `Atomic::load` would call a C function.
        unsafe { self.request.as_ptr().read_volatile() }
    }

    /// Makes a request to the callback.
    #[inline(always)]
    fn ask(&self, request: i32) {
        // SAFETY: As in `request`, with C's `WRITE_ONCE`.
        unsafe { self.request.as_ptr().write_volatile(request) }
    }

    /// Whether anything keeps the tasklet from running: a guard, a leaked guard, or its initial
    /// disable.
    #[inline(always)]
    fn is_disabled(&self) -> bool {
        // SAFETY: `count` is initialised by the type invariant. C's `atomic_read` is a volatile
        // access, too.
        unsafe { (&raw const (*self.tasklet.get()).count.counter).read_volatile() != 0 }
    }

    /// Waits until the tasklet is neither scheduled nor running, and leaves it idle and enabled; or
    /// shut off for good, if the module is going.
    ///
    /// A run that is pending happens first, but does not reschedule; while the tasklet is disabled
    /// the pending run is discarded instead.
    ///
    /// Process context; may sleep.
    ///
    /// # Safety
    ///
    /// From the beginning to the end of this call, nobody schedules, enables, disables or kills
    /// this tasklet, other than the callback through its [`TaskletContext`], and the end of the
    /// module.
    #[inline]
    unsafe fn kill(&self) {
        match self.added {
            // SAFETY: The requirements are the same.
            Some(added) => unsafe { (added.kill)(self) },
            None => {
                // SAFETY: The requirements are the same, and by the type invariants nobody else
                // writes `request`.
                unsafe { self.kill_alone() };
                self.ask(request::NONE);
            }
        }
    }

    /// As [`Core::kill`], and takes the entry out of the list, when the tasklet is dropped.
    ///
    /// # Safety
    ///
    /// As for [`Core::kill`]; and the tasklet is not used any more.
    #[inline]
    unsafe fn end(&self) {
        match self.added {
            // SAFETY: The requirements are the same.
            Some(added) => unsafe { (added.end)(self) },
            // SAFETY: As in `kill`.
            None => unsafe { self.kill_alone() },
        }
    }

    /// [`Core::end`] of a tasklet whose entry is in the list.
    ///
    /// # Safety
    ///
    /// As for [`Core::end`].
    #[inline]
    unsafe fn end_added(&self) {
        // SAFETY: The entry was added, and only this removes it, once.
        unsafe { self.entry.remove() };

        if self.request() == request::NONE {
            // SAFETY: The requirements are the same. The sweep does not find the tasklet any more,
            // so nobody else writes `request`.
            unsafe { self.kill_alone() };
        } else {
            // SAFETY: The requirements are the same.
            unsafe { self.kill_added() };
        }
    }

    /// [`Core::kill`] of a tasklet that the end of the module may find.
    ///
    /// # Safety
    ///
    /// As for [`Core::kill`].
    #[cold]
    #[inline]
    unsafe fn kill_added(&self) {
        let disabled = self.is_disabled();
        let request = if disabled {
            request::DISCARD
        } else {
            request::STOP
        };

        // INVARIANT: This kill alone changes `request` until it sets it back.
        //
        // Relaxed: `enable` orders what has to come after `DISCARD`.
        if self
            .request
            .cmpxchg(request::NONE, request, ordering::Relaxed)
            .is_ok()
        {
            if disabled {
                self.enable();
            }
            // SAFETY: The requirements are the same, and the request was made.
            unsafe { self.wait_until_idle() };
            self.ask(request::NONE);
            return;
        }

        // The module is going: the tasklet was shut off.
        while !self.retire() {
            sleep_a_tick();
        }
    }

    /// [`Core::kill`] while nobody else writes `request`, which is `NONE`. This does not reset the
    /// request.
    ///
    /// # Safety
    ///
    /// As for [`Core::kill`]; and `request` is as above.
    #[inline]
    unsafe fn kill_alone(&self) {
        if self.is_disabled() {
            self.discard();
        } else {
            self.ask(request::STOP);
        }

        // SAFETY: The requirements are the same, and the request was made.
        unsafe { self.wait_until_idle() }
    }

    /// The rest of [`Core::kill`], after the request.
    ///
    /// # Safety
    ///
    /// As for [`Core::kill`]; and `request` is `STOP`, or `DISCARD` and `count` is 0.
    #[inline]
    unsafe fn wait_until_idle(&self) {
        // `tasklet_kill` owns the SCHED bit while it waits for the RUN bit to clear, so that even a
        // callback that has not seen the request yet schedules nothing that outlives this call. The
        // request only ensures that the wait for the SCHED bit ends.
        //
        // SAFETY: The tasklet is initialised by the type invariant. The call sleeps until no CPU
        // runs the tasklet and no list holds it.
        unsafe { bindings::tasklet_kill(self.tasklet.get()) };
    }

    /// Makes a pending run return at once, and enables the tasklet.
    #[cold]
    #[inline(never)]
    fn discard(&self) {
        self.ask(request::DISCARD);
        self.enable();
    }

    /// Sets the count of disables to 0, after `request` was set to `DISCARD` or a greater value.
    ///
    /// Guards were leaked, or the initial disable was never released, so nobody else would enable
    /// the tasklet. A scheduled run would keep ksoftirqd spinning, and a kill waiting, for ever. So
    /// this lets it run, and the callback returns at once. The callback sees the request: the
    /// release below orders the request before the count, and softirq code reads the count, clears
    /// the SCHED bit with a full barrier, and only then calls the callback.
    #[inline]
    fn enable(&self) {
        // SAFETY: `count` is initialised by the type invariant, and atomic.
        unsafe { bindings::atomic_set_release(&raw mut (*self.tasklet.get()).count, 0) };
        // SAFETY: As in `ask`. The guard for the initial disable is asked for by an `xchg`.
        unsafe { self.initial_disable.as_ptr().write_volatile(0) };
    }

    /// The word with the SCHED and the RUN bit.
    fn state(&self) -> *mut ffi::c_ulong {
        // SAFETY: The field is within the tasklet.
        unsafe { &raw mut (*self.tasklet.get()).state }
    }

    /// Whether the callback is running, or the kernel is not done with it. Acquire: if not,
    /// everything that its runs did is visible.
    #[inline]
    fn is_running(&self) -> bool {
        let bit = bindings::TASKLET_STATE_RUN as ffi::c_ulong;

        // SAFETY: The word is initialised, and atomic.
        unsafe { test_bit_acquire(bit, self.state()) }
    }

    /// If the tasklet was shut off, takes its SCHED bit if that is clear, and keeps it for good.
    #[cold]
    #[inline(never)]
    fn hold(&self) {
        let bit = bindings::TASKLET_STATE_SCHED as ffi::c_ulong;

        // SAFETY: The word is initialised, and atomic.
        if self.request() == request::SHUT && !unsafe { test_and_set_bit(bit, self.state()) } {
            // INVARIANT: The bit was clear, so no list holds the tasklet, and only the code that
            // sets the bit puts it into one.
            self.ask(request::HELD);
        }
    }

    /// Takes a tasklet that was shut off closer to its end. Returns whether it has ended: nothing
    /// runs it or will ever run it, none of the kernel's lists holds it, and the kernel is done
    /// with it.
    ///
    /// This ends even if others keep scheduling the tasklet, because the callback also takes the
    /// SCHED bit, which softirq code has just cleared. Any number of threads may call this at once.
    #[inline]
    fn retire(&self) -> bool {
        self.enable();
        self.hold();

        // Acquire: once the bit was taken for good, a callback that is still running has set RUN
        // before. No run begins afterwards.
        self.request.load(ordering::Acquire) == request::HELD && !self.is_running()
    }

    /// The core that has `entry`.
    ///
    /// # Safety
    ///
    /// The operations of `entry` are [`OPERATIONS`].
    unsafe fn of(entry: &Entry) -> &Self {
        // SAFETY: Only entries of cores are added with these operations.
        unsafe { &*container_of!(core::ptr::from_ref(entry), Core, entry) }
    }

    /// The first step at the end of the module. It waits while the owner is killing the tasklet: a
    /// kill returns.
    ///
    /// # Safety
    ///
    /// As for [`Step`](super::unload::Step).
    #[inline]
    unsafe fn shut_off(entry: &Entry) -> bool {
        // SAFETY: The caller's entry has these operations.
        let core = unsafe { Core::of(entry) };

        // INVARIANT: No kill is in progress that the request could belong to.
        //
        // Relaxed: a full barrier follows before the next step.
        match core
            .request
            .cmpxchg(request::NONE, request::SHUT, ordering::Relaxed)
        {
            Ok(_) => true,
            Err(request) => request >= request::SHUT,
        }
    }

    /// The second step. A disabled tasklet that is scheduled has its RUN bit set again and again,
    /// but once the bit was seen clear, only by runs that see the request.
    ///
    /// # Safety
    ///
    /// As for [`Step`](super::unload::Step).
    #[inline]
    unsafe fn is_quiet(entry: &Entry) -> bool {
        // SAFETY: The caller's entry has these operations.
        !unsafe { Core::of(entry) }.is_running()
    }

    /// The third step.
    ///
    /// # Safety
    ///
    /// As for [`Step`](super::unload::Step).
    #[inline]
    unsafe fn retire_leaked(entry: &Entry) -> bool {
        // SAFETY: The caller's entry has these operations.
        unsafe { Core::of(entry) }.retire()
    }
}

/// A tasklet: `struct tasklet_struct` with everything that its callback touches.
///
/// # Invariants
///
/// - `core` is the core of this very `T`, and `callback::<T>` finds this structure around it.
/// - While the handler can run, only the callback touches `state`. It cannot run from the creation
///   to the first schedule; after `Core::kill` until it is scheduled again; while `core.count` is
///   not 0 and the last run has ended; and once `core.request` is [`SHUT`](request::SHUT) and the
///   last run has ended.
#[pin_data(PinnedDrop)]
pub struct Tasklet<T: TaskletHandler> {
    #[pin]
    core: Core,
    #[pin]
    handler: T,
    #[pin]
    state: UnsafeCell<T::State>,
}

// SAFETY: The tasklet is not bound to the task that made it; what it owns can be sent along.
unsafe impl<T: TaskletHandler + Send> Send for Tasklet<T> {}
// SAFETY: A shared reference gives access to `T`, which is `Sync`, and to the operations of the
// tasklet, which the kernel lets any number of CPUs call at once. It gives no access to the state.
unsafe impl<T: TaskletHandler> Sync for Tasklet<T> {}

impl<T: TaskletHandler> Tasklet<T> {
    /// Makes a tasklet, which runs only when it is scheduled.
    ///
    /// Process context; may sleep. The tasklet is killed when it is dropped. A leaked one is shut
    /// off before the module's code is freed.
    ///
    /// # Errors
    ///
    /// - Those of the initialisers.
    /// - `ENODEV` when the module is going.
    #[doc(alias = "tasklet_setup", alias = "tasklet_init")]
    pub fn new<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
        T: 'static,
    {
        Self::registered(handler, state, false)
    }

    /// Makes a tasklet that is disabled until [`initial_disable`](Self::initial_disable) is
    /// released.
    ///
    /// Otherwise as [`new`](Self::new).
    #[doc(alias = "DECLARE_TASKLET_DISABLED")]
    pub fn new_disabled<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
        T: 'static,
    {
        Self::registered(handler, state, true)
    }

    /// Lends `f` a tasklet, and kills it when `f` returns.
    ///
    /// Process context; may sleep. The tasklet lies on the stack of the caller: nothing is
    /// allocated and no lock is taken, and there is no way to leak it.
    ///
    /// So the handler and the state may borrow whatever lives longer than this call. `f` gets only
    /// a `Pin<&mut Self>`, for a lifetime that it cannot choose: it can neither move the tasklet
    /// out, which is not `Unpin`, nor keep it. The tasklet itself is a variable of this function,
    /// so its drop, which kills it, runs after `f` and before this returns, whatever `f` did or
    /// leaked. The handler cannot borrow its own tasklet: because a tasklet has a drop, the
    /// compiler requires that whatever the handler borrows outlives the tasklet.
    ///
    /// # Errors
    ///
    /// Those of the initialisers. `f` is not called then.
    pub fn scope<E, R>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        f: impl FnOnce(Pin<&mut Self>) -> R,
    ) -> Result<R>
    where
        Error: From<E>,
    {
        pin_init::stack_try_pin_init!(let tasklet =? Self::unregistered(handler, state, false, None));

        Ok(f(tasklet))
    }

    fn unregistered<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        disabled: bool,
        added: Option<&'static Added>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        // INVARIANT: The core is made for this `T`. Nothing has scheduled the tasklet yet, and
        // nothing can before this is all initialised.
        try_pin_init!(Self {
            handler <- handler,
            state <- UnsafeCell::pin_init(state),
            core: Core::new::<T>(disabled, added),
        }? Error)
    }

    fn registered<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        disabled: bool,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        Self::unregistered(handler, state, disabled, Some(&ADDED)).pin_chain(|this| {
            // SAFETY: The tasklet is pinned, and its drop calls `Core::end`, which removes the
            // entry. The operations are those of a core.
            unsafe { this.core.entry.add(&OPERATIONS) }
        })
    }

    /// The shared part.
    pub fn handler(self: Pin<&Self>) -> Pin<&T> {
        // SAFETY: `handler` is pinned along with `self`.
        unsafe { self.map_unchecked(|this| &this.handler) }
    }

    fn as_raw(&self) -> *mut bindings::tasklet_struct {
        self.core.tasklet.get()
    }

    /// Asks for one run, soon, on this CPU.
    ///
    /// May be called from any context. If a run is already pending, that one serves both. If the
    /// tasklet is running, it runs once more. If it is disabled, it runs once it is enabled.
    #[doc(alias = "tasklet_schedule")]
    pub fn schedule(&self) {
        // SAFETY: The tasklet is initialised. By the type invariants it stays where it is until it
        // was killed by the drop, which the borrow keeps away for the duration of this call.
        unsafe { tasklet_schedule(self.as_raw()) }
    }

    /// Asks for one run, soon, on this CPU, before all tasklets of normal priority.
    ///
    /// May be called from any context. If a run is already pending, its priority stays.
    #[doc(alias = "tasklet_hi_schedule")]
    pub fn hi_schedule(&self) {
        // SAFETY: As in `schedule`.
        unsafe { tasklet_hi_schedule(self.as_raw()) }
    }

    /// Keeps the tasklet from running, and waits until it has stopped running.
    ///
    /// Process context; may sleep. Disables nest: the tasklet runs again when every guard is gone.
    /// Others may hold guards too, and may drop theirs last, so this lends no state; see
    /// [`disable_mut`](Self::disable_mut).
    #[doc(alias = "tasklet_disable")]
    pub fn disable(&self) -> Disabled<'_, T> {
        // SAFETY: The tasklet is initialised.
        unsafe { tasklet_disable(self.as_raw()) };

        // INVARIANT: This was one disable.
        Disabled { tasklet: self }
    }

    /// Keeps the tasklet from running again, but does not wait for a run that is under way.
    ///
    /// May be called from any context.
    #[doc(alias = "tasklet_disable_nosync")]
    pub fn disable_nosync(&self) -> DisabledNosync<'_, T> {
        // SAFETY: The tasklet is initialised.
        unsafe { tasklet_disable_nosync(self.as_raw()) };

        // INVARIANT: This was one disable.
        DisabledNosync {
            disabled: Disabled { tasklet: self },
        }
    }

    /// Returns the initial disable as a guard: `Some` for the first caller only.
    ///
    /// May be called from any context. `None` for a tasklet that was not made disabled, or was
    /// killed since, which enables it.
    pub fn initial_disable(&self) -> Option<Disabled<'_, T>> {
        // Relaxed: the caller learns only whether it is the first.
        let was = self.core.initial_disable.xchg(0, ordering::Relaxed);

        // No guard may be made for other callers, because its drop would enable the tasklet.
        //
        // INVARIANT: The disable that the tasklet was made with is now the guard's. The handler has
        // not run yet, so there is no run to wait for.
        (was == 1).then(|| Disabled { tasklet: self })
    }

    /// Keeps the tasklet from running, waits until it has stopped running, and lends its state.
    ///
    /// Process context; may sleep.
    #[doc(alias = "tasklet_disable")]
    pub fn disable_mut(self: Pin<&mut Self>) -> DisabledMut<'_, T> {
        let counted = !self.core.is_disabled();

        // The count must not wrap to 0 while the state is lent, however many guards were leaked. It
        // cannot: it goes from 0 to 1 or does not change, because `self` is borrowed exclusively.
        // The end of the module may set it to 0, but only after it has shut the tasklet off.
        //
        // SAFETY: The tasklet is initialised.
        unsafe {
            if counted {
                tasklet_disable(self.as_raw());
            } else {
                // The leaked guard may not have waited.
                tasklet_unlock_wait(self.as_raw());
            }
        }

        // INVARIANT: `count` is not 0, or the tasklet was shut off, and the last run has ended.
        DisabledMut {
            tasklet: self,
            counted,
        }
    }

    /// Waits until the tasklet is neither scheduled nor running, and lends its state.
    ///
    /// Process context; may sleep. A pending run happens first, unless the tasklet is disabled:
    /// then it is discarded. A callback cannot reschedule the tasklet meanwhile. Afterwards the
    /// tasklet is idle and enabled; scheduled again, it runs again, unless the module is going.
    #[doc(alias = "tasklet_kill")]
    pub fn kill(self: Pin<&mut Self>) -> &mut T::State {
        // SAFETY: `self` is borrowed exclusively, so nobody else can call anything on the tasklet,
        // and no guard, which would borrow it too, is alive.
        unsafe { self.core.kill() };

        // SAFETY: Nothing runs the handler any more, and nothing can schedule it while the returned
        // borrow lives. So it is the only access to the state. `state` was made by an `Init`, which
        // does not ask for it to stay pinned.
        unsafe { &mut *self.state.get() }
    }
}

#[pinned_drop]
impl<T: TaskletHandler> PinnedDrop for Tasklet<T> {
    fn drop(self: Pin<&mut Self>) {
        // This runs before any field is dropped, in whatever order they stand.
        //
        // SAFETY: As in `Tasklet::kill`.
        unsafe { self.core.end() };
    }
}

/// A tasklet that lives as long as the module: what `DECLARE_TASKLET` declares in C.
///
/// It can be used only through the [`TaskletHandle`] that [`take`](Self::take) returns once, and is
/// killed when the handle is dropped. Leaking the handle does no harm: the tasklet is shut off
/// before the module's code is freed.
///
/// # Invariants
///
/// Only the one [`TaskletHandle`], and nothing before it exists, uses `tasklet`.
pub struct StaticTasklet<T: TaskletHandler + 'static> {
    tasklet: UnsafeCell<Tasklet<T>>,
    taken: Atomic<i32>,
}

// SAFETY: What is shared is `taken`, which is atomic. Behind it one `TaskletHandle` has the tasklet
// to itself, on whichever thread; the state is `Send` and the handler is `Sync`, and is not moved.
unsafe impl<T: TaskletHandler> Sync for StaticTasklet<T> {}

impl<T: TaskletHandler> StaticTasklet<T> {
    /// A tasklet for a `static`.
    #[doc(alias = "DECLARE_TASKLET")]
    pub const fn new(handler: T, state: T::State) -> Self {
        Self::declare(handler, state, false)
    }

    /// A tasklet for a `static` that is disabled until [`Tasklet::initial_disable`] is released.
    #[doc(alias = "DECLARE_TASKLET_DISABLED")]
    pub const fn new_disabled(handler: T, state: T::State) -> Self {
        Self::declare(handler, state, true)
    }

    const fn declare(handler: T, state: T::State, disabled: bool) -> Self {
        // INVARIANT: As in `Tasklet::unregistered`.
        Self {
            tasklet: UnsafeCell::new(Tasklet {
                core: Core::new::<T>(disabled, None),
                handler,
                state: UnsafeCell::new(state),
            }),
            taken: Atomic::new(0),
        }
    }

    /// Returns the handle: `Some` for the first caller only, unless the module is going.
    ///
    /// Process context; may sleep.
    pub fn take(&'static self) -> Option<TaskletHandle<T>> {
        // Relaxed: as in `initial_disable`.
        if self.taken.xchg(1, ordering::Relaxed) != 0 {
            return None;
        }

        // INVARIANT: The entry is added below.
        //
        // SAFETY: By the type invariant nothing uses the tasklet before there is a handle.
        unsafe { (*self.tasklet.get()).core.added = Some(&ADDED) };

        // INVARIANT: This is the only handle.
        let handle = TaskletHandle { tasklet: self };

        // SAFETY: A static is never moved. Its memory is freed with the module, whose end does not
        // require entries to be removed. The operations are those of a core.
        unsafe { handle.core.entry.add(&OPERATIONS) }.ok()?;
        Some(handle)
    }
}

/// The right to use a [`StaticTasklet`]. It kills the tasklet when it is dropped.
///
/// # Invariants
///
/// There is no other handle of the same tasklet.
pub struct TaskletHandle<T: TaskletHandler + 'static> {
    tasklet: &'static StaticTasklet<T>,
}

impl<T: TaskletHandler> TaskletHandle<T> {
    /// Borrows the tasklet exclusively, for a kill or a disable that lends the state.
    pub fn as_mut(&mut self) -> Pin<&mut Tasklet<T>> {
        // SAFETY: By the type invariant nobody else has access to the tasklet, and a static is
        // never moved.
        unsafe { Pin::new_unchecked(&mut *self.tasklet.tasklet.get()) }
    }
}

impl<T: TaskletHandler> Deref for TaskletHandle<T> {
    type Target = Tasklet<T>;

    fn deref(&self) -> &Tasklet<T> {
        // SAFETY: `as_mut` is the only way to exclusive access, and borrows the handle exclusively.
        unsafe { &*self.tasklet.tasklet.get() }
    }
}

impl<T: TaskletHandler> Drop for TaskletHandle<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant nobody else can call anything on the tasklet, and a guard
        // would borrow the handle.
        unsafe { self.core.end() };
    }
}

/// The callback that the kernel calls for every `Tasklet<T>`.
///
/// # Safety
///
/// `tasklet` is that of a `Tasklet<T>`, and the kernel's softirq code is the caller.
unsafe extern "C" fn callback<T: TaskletHandler>(tasklet: *mut bindings::tasklet_struct) {
    let core = container_of!(Opaque::cast_from(tasklet), Core, tasklet);
    // SAFETY: By the invariants of `Tasklet` there is a `Tasklet<T>` around the core. It is alive
    // until it was killed, which waits for the RUN bit, which is set as long as this function runs.
    // Others may hold a `Pin<&mut Tasklet<T>>` meanwhile: as it is not `Unpin`, that is not unique.
    let this = unsafe { &*container_of!(core, Tasklet<T>, core) };

    if this.core.request() >= request::DISCARD {
        return this.core.hold();
    }

    // SAFETY: `this` is pinned, and so is its handler.
    let handler = unsafe { Pin::new_unchecked(&this.handler) };
    // SAFETY: The kernel runs a tasklet on one CPU at a time, and by the invariants of `Tasklet`
    // nothing but its callback touches the state while the handler can run, as it can here.
    let state = unsafe { &mut *this.state.get() };

    // INVARIANT: This is the callback.
    T::run(
        handler,
        state,
        &TaskletContext {
            core: &this.core,
            _not_send: PhantomData,
        },
    );
}

/// The right to reschedule a running tasklet. Only its callback has it, and cannot keep it.
///
/// Nothing that sleeps can be reached from here, such as a disable or a kill of the tasklet itself.
///
/// # Invariants
///
/// The callback of the tasklet of `core` is running, in this thread, as long as this lives.
pub struct TaskletContext<'a> {
    core: &'a Core,
    _not_send: PhantomData<NotThreadSafe>,
}

impl TaskletContext<'_> {
    #[inline(always)]
    fn may_schedule(&self) -> bool {
        self.core.request() == request::NONE
    }

    /// Asks for one more run, on this CPU, after this one.
    ///
    /// Does nothing once the tasklet is being killed or the module is going.
    #[doc(alias = "tasklet_schedule")]
    #[inline]
    pub fn schedule(&self) {
        if self.may_schedule() {
            // SAFETY: By the type invariant the callback is running, so the tasklet is initialised.
            // It is not gone before its callback has returned and it is in no list, see `callback`.
            unsafe { tasklet_schedule(self.core.tasklet.get()) }
        }
    }

    /// Asks for one more run, on this CPU, after this one and before those of normal priority.
    ///
    /// Does nothing once the tasklet is being killed or the module is going.
    #[doc(alias = "tasklet_hi_schedule")]
    #[inline]
    pub fn hi_schedule(&self) {
        if self.may_schedule() {
            // SAFETY: As in `schedule`.
            unsafe { tasklet_hi_schedule(self.core.tasklet.get()) }
        }
    }
}

/// A disabled tasklet that is not running. Dropping this undoes one disable.
///
/// # Invariants
///
/// This is one of the disables that `tasklet.core.count` counts. That the tasklet is not running is
/// not an invariant, because nothing relies on it: the guard lends no state, and is part of a
/// [`DisabledNosync`].
#[must_use = "the tasklet is enabled again as soon as this guard is dropped"]
pub struct Disabled<'a, T: TaskletHandler> {
    tasklet: &'a Tasklet<T>,
}

impl<T: TaskletHandler> Disabled<'_, T> {
    /// Undoes one disable. The tasklet runs soon if a run is pending and this was the last one.
    ///
    /// May be called from any context.
    #[doc(alias = "tasklet_enable")]
    pub fn enable(self) {}
}

impl<T: TaskletHandler> Drop for Disabled<'_, T> {
    fn drop(&mut self) {
        // SAFETY: The tasklet is initialised. By the type invariant this undoes one disable, or, if
        // the end of the module has undone it already, changes the count of a tasklet that was shut
        // off.
        unsafe { tasklet_enable(self.tasklet.as_raw()) }
    }
}

/// A disabled tasklet whose last run may not have ended. Dropping this undoes one disable.
#[must_use = "the tasklet is enabled again as soon as this guard is dropped"]
pub struct DisabledNosync<'a, T: TaskletHandler> {
    disabled: Disabled<'a, T>,
}

impl<'a, T: TaskletHandler> DisabledNosync<'a, T> {
    /// Waits until the tasklet has stopped running.
    ///
    /// Process context; may sleep.
    #[doc(alias = "tasklet_unlock_wait")]
    pub fn wait(self) -> Disabled<'a, T> {
        // SAFETY: The tasklet is initialised.
        unsafe { tasklet_unlock_wait(self.disabled.tasklet.as_raw()) };

        self.disabled
    }

    /// Undoes one disable. The tasklet runs soon if a run is pending and this was the last one.
    ///
    /// May be called from any context.
    #[doc(alias = "tasklet_enable")]
    pub fn enable(self) {}
}

/// A disabled tasklet that is not running and that nobody else can enable: it lends the state.
///
/// Dropping this undoes the disable.
///
/// # Invariants
///
/// - `tasklet.core.count` is not 0, or the end of the module has set it to 0 after the tasklet was
///   shut off; and the last run of the handler has ended.
/// - If `counted` is true, this is one of the disables that `count` counts.
#[must_use = "the tasklet is enabled again as soon as this guard is dropped"]
pub struct DisabledMut<'a, T: TaskletHandler> {
    tasklet: Pin<&'a mut Tasklet<T>>,
    /// Whether this guard is one of the disables that `count` counts. It is not if leaked guards
    /// keep the tasklet disabled anyway.
    counted: bool,
}

impl<T: TaskletHandler> DisabledMut<'_, T> {
    /// The state, while the tasklet is disabled.
    pub fn state(&mut self) -> &mut T::State {
        // SAFETY: By the type invariant nothing runs the handler, and nothing can enable the
        // tasklet while it is not shut off: the guard borrows the tasklet exclusively, and is
        // itself borrowed for as long as the state. So nothing else touches the state. It was made
        // by an `Init`, which does not ask for it to stay pinned.
        unsafe { &mut *self.tasklet.state.get() }
    }

    /// As [`Tasklet::schedule`]: the run is pending until the tasklet is enabled.
    pub fn schedule(&self) {
        self.tasklet.schedule();
    }

    /// As [`Tasklet::hi_schedule`]: the run is pending until the tasklet is enabled.
    pub fn hi_schedule(&self) {
        self.tasklet.hi_schedule();
    }

    /// Undoes the disable. The tasklet runs soon if a run is pending.
    ///
    /// May be called from any context.
    #[doc(alias = "tasklet_enable")]
    pub fn enable(self) {}
}

impl<T: TaskletHandler> Drop for DisabledMut<'_, T> {
    fn drop(&mut self) {
        if self.counted {
            // SAFETY: As in the drop of `Disabled`.
            unsafe { tasklet_enable(self.tasklet.as_raw()) }
        }
    }
}
