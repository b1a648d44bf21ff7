// SPDX-License-Identifier: GPL-2.0

//! Tasklets: small pieces of work that softirqs run soon, one CPU at a time.
//!
//! A tasklet is how an interrupt handler puts off what need not be done with interrupts off. It runs
//! in softirq context: as soon as the interrupt ends or, if there is more than fits there, in the
//! thread `ksoftirqd` of the CPU that scheduled it. It may not sleep; on no two CPUs does it run at
//! the same time, while other tasklets may.
//!
//! # When not to use one
//!
//! Since 2020 the kernel calls tasklets deprecated. A new driver wants a threaded interrupt handler
//! (`kernel::irq::ThreadedRegistration`), where it may sleep, or a work item on a BH workqueue
//! (`kernel::workqueue::system_bh`), which runs in the same context as a tasklet does.
//!
//! # Vocabulary
//!
//! A [`Tasklet`] owns all that its callback touches: a [`TaskletHandler`], which everybody shares,
//! and the handler's [`State`](TaskletHandler::State), which only the callback may touch while it
//! can run. There are three ways to have one:
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
//! On top of that, it is *disabled* as long as there are more disables than enables: a scheduled one
//! then stays scheduled. Scheduling a scheduled one changes nothing, not even its priority.
//!
//! # From C to Rust
//!
//! | C | Rust | called from |
//! | --- | --- | --- |
//! | `tasklet_setup`, `tasklet_init` | [`Tasklet::new`], [`Tasklet::scope`] | process |
//! | `DECLARE_TASKLET` | [`StaticTasklet::new`], [`StaticTasklet::take`] | process |
//! | `DECLARE_TASKLET_DISABLED` | [`StaticTasklet::new_disabled`], [`Tasklet::new_disabled`] | process |
//! | the enable that undoes its birth | [`Tasklet::born_disabled`] | any |
//! | `tasklet_schedule` | [`Tasklet::schedule`], [`TaskletContext::schedule`] | any |
//! | `tasklet_hi_schedule` | [`Tasklet::hi_schedule`], [`TaskletContext::hi_schedule`] | any |
//! | `tasklet_disable` | [`Tasklet::disable`], [`Tasklet::disable_mut`] | process, may sleep |
//! | `tasklet_disable_nosync` | [`Tasklet::disable_nosync`] | any |
//! | `tasklet_unlock_wait` | [`DisabledNosync::wait`] | process, may sleep |
//! | `tasklet_enable` | the drop of a guard, or its `enable` | any |
//! | `tasklet_kill` | [`Tasklet::kill`], the drop of a tasklet | process, may sleep |
//!
//! *Any* is process, softirq and hard interrupt context. What may sleep says so through
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
//! A tasklet for the duration of a call, which reschedules itself until it has run three times, and
//! is dead at the end of the call in any case:
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
//! - **What the callback touches is alive.** The tasklet owns it, and drops it only after a kill:
//!   `PinnedDrop` runs before the drop of any field. It never moves, as it can only be initialised
//!   in place and is not `Unpin`.
//! - **The callback has its state to itself.** Softirq code takes the RUN bit of a tasklet before it
//!   calls the callback, so there is one at a time. Process context gets the state from [`kill`]
//!   and [`disable_mut`], which wait for that bit, and which borrow the tasklet exclusively: while
//!   the state is lent nobody can schedule or enable the tasklet.
//! - **A kill ends.** It has softirq code run what is pending, if need be with the callback returning
//!   at once, and until it is done a [`TaskletContext`] does not schedule. See `Core::kill`.
//! - **Enables match disables.** A guard is one disable, and its drop, which happens at most once,
//!   one enable. A guard that is leaked leaves the tasklet disabled until it is killed.
//! - **Nothing that sleeps can be reached from the callback's parameters:** a shared handler, the
//!   state and the context.
//! - **No code of an unloaded module runs,** whatever was leaked. See `Registry`.
//! - **Scheduling and running take no lock and no memory** of their own.
//!
//! # Known limits
//!
//! - What the handler or the state own may be used to sleep, or to drop this very tasklet, in the
//!   callback: an `Arc` of a tasklet, for example. As everywhere in the kernel's Rust the types do
//!   not know contexts. `might_sleep` finds it; memory safety is not at stake, as a tasklet that
//!   waits for itself waits for ever, for its own RUN bit.
//! - A kernel without `CONFIG_SMP` is refused at compile time unless it is PREEMPT_RT: it has no RUN
//!   bit.
//! - The handler of a static must be made by a `const fn`, which rules out locks and completions.
//! - A disabled tasklet that is scheduled keeps `ksoftirqd` of its CPU busy until it is enabled or
//!   killed. That is so in C, too.
//! - A schedule is lost if it races with a kill by other means than this type; here none can, as a
//!   kill excludes every other use.
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
    module_param::KernelParam,
    prelude::*,
    str::as_char_ptr_in_const_context,
    sync::atomic::{ordering, Atomic},
    types::{NotThreadSafe, Opaque},
};
use pin_init::Wrapper;

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

// The inlines of <linux/list_bl.h>.
extern "C" {
    #[link_name = "rust_helper_hlist_bl_lock"]
    fn hlist_bl_lock(b: *mut bindings::hlist_bl_head);
    #[link_name = "rust_helper_hlist_bl_unlock"]
    fn hlist_bl_unlock(b: *mut bindings::hlist_bl_head);
    #[link_name = "rust_helper_hlist_bl_first"]
    fn hlist_bl_first(h: *mut bindings::hlist_bl_head) -> *mut bindings::hlist_bl_node;
    #[link_name = "rust_helper_hlist_bl_add_head"]
    fn hlist_bl_add_head(n: *mut bindings::hlist_bl_node, h: *mut bindings::hlist_bl_head);
    #[link_name = "rust_helper_hlist_bl_del_init"]
    fn hlist_bl_del_init(n: *mut bindings::hlist_bl_node);
}

// Without both, the kernel leaves out the RUN bit, as nothing can wait for a callback that runs but
// the callback itself: one that gets hold of its own tasklet would not wait for itself, but go on.
const _: () = assert!(
    cfg!(any(CONFIG_SMP, CONFIG_PREEMPT_RT)),
    "a kernel without CONFIG_SMP does not mark tasklets that run, which the guarantees stand on"
);

/// What a tasklet does when it runs, and what it shares with the rest of the driver.
///
/// The handler itself is shared: the callback and process context use it at the same time, which is
/// why it is [`Sync`]. What only the callback touches goes into the `State`, and needs no lock.
pub trait TaskletHandler: Sync + 'static {
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

/// What a kill asks of the callback. Nothing is asked while no kill is under way.
mod request {
    /// Run, and reschedule at will.
    pub(super) const NONE: i32 = 0;
    /// Run, but do not reschedule.
    pub(super) const STOP: i32 = 1;
    /// Do not even run: return at once.
    pub(super) const DISCARD: i32 = 2;
}

/// The part of a tasklet that does not depend on its handler.
///
/// # Invariants
///
/// - `tasklet` is initialised, its callback is [`callback`] of the `T` of the [`Tasklet<T>`] that
///   this core is a field of, and it stays at its address for as long as the core lives.
/// - `tasklet.count` is, modulo 2^32, the number of disables that were not undone: one for each
///   guard that lives or was leaked, and one while `born_disabled` is 1.
/// - `request` is other than [`request::NONE`] only during [`Core::kill`].
/// - `node` is in [`REGISTRY`], or unhashed.
#[pin_data]
struct Core {
    #[pin]
    tasklet: Opaque<bindings::tasklet_struct>,
    request: Atomic<i32>,
    born_disabled: Atomic<i32>,
    node: Opaque<bindings::hlist_bl_node>,
    #[pin]
    _pin: PhantomPinned,
}

impl Core {
    /// Makes a core, which must become a field of a `Tasklet<T>` for the same `T`.
    const fn new<T: TaskletHandler>(disabled: bool) -> Self {
        let disabled = if disabled { 1 } else { 0 };

        // INVARIANT: These are the values that `tasklet_setup` and `DECLARE_TASKLET` set, with one
        // disable if need be.
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
            born_disabled: Atomic::new(disabled),
            node: Opaque::new(bindings::hlist_bl_node {
                next: core::ptr::null_mut(),
                pprev: core::ptr::null_mut(),
            }),
            _pin: PhantomPinned,
        }
    }

    /// What a kill asks of the callback, now.
    #[inline(always)]
    fn request(&self) -> i32 {
        // SAFETY: The word is initialised, and aligned. A volatile access is C's `READ_ONCE`, which
        // is what a relaxed `Atomic::load` calls a C function for.
        unsafe { self.request.as_ptr().read_volatile() }
    }

    /// Asks the callback for `request`.
    #[inline(always)]
    fn ask(&self, request: i32) {
        // SAFETY: As in `request`, with C's `WRITE_ONCE`.
        unsafe { self.request.as_ptr().write_volatile(request) }
    }

    /// Whether anything keeps the tasklet from running: a guard, a leaked guard, or its birth.
    #[inline(always)]
    fn is_disabled(&self) -> bool {
        // SAFETY: `count` is initialised by the type invariant. C's `atomic_read` is a volatile
        // access, too.
        unsafe { (&raw const (*self.tasklet.get()).count.counter).read_volatile() != 0 }
    }

    /// Waits until the tasklet is neither scheduled nor running, and leaves it idle and enabled.
    ///
    /// A run that is pending happens first, but does not reschedule; while the tasklet is disabled
    /// the pending run is discarded instead.
    ///
    /// Process context; may sleep.
    ///
    /// # Safety
    ///
    /// From the beginning to the end of this call, nothing but the callback itself schedules,
    /// enables, disables or kills this tasklet.
    #[inline]
    unsafe fn kill(&self) {
        if self.is_disabled() {
            // SAFETY: The requirements are the same.
            unsafe { self.discard() };
        } else {
            self.ask(request::STOP);
        }

        // `tasklet_kill` owns the SCHED bit while it waits for the RUN bit to clear, so that even a
        // callback that has not seen the request yet schedules nothing that outlives this call. All
        // that the request decides is that the wait for the SCHED bit ends.
        //
        // SAFETY: The tasklet is initialised by the type invariant. The call sleeps until no CPU
        // runs the tasklet and no list holds it.
        unsafe { bindings::tasklet_kill(self.tasklet.get()) };

        self.ask(request::NONE);
    }

    /// Enables the tasklet, and has its callback return at once if a run is pending.
    ///
    /// # Safety
    ///
    /// As for [`Core::kill`].
    #[cold]
    #[inline(never)]
    unsafe fn discard(&self) {
        // Nobody is left who could enable it: its guards were leaked, or it was born disabled. A
        // scheduled run would keep ksoftirqd spinning, and `tasklet_kill` waiting, for ever. So let
        // it run, after having told the callback to return at once. The callback sees that: the
        // release below orders the request before the count, and softirq code reads the count,
        // clears the SCHED bit with a full barrier, and only then calls it.
        self.ask(request::DISCARD);
        // SAFETY: `count` is initialised by the type invariant, and by this function's requirements
        // nobody else counts.
        unsafe { bindings::atomic_set_release(&raw mut (*self.tasklet.get()).count, 0) };
        self.born_disabled.store(0, ordering::Relaxed);
    }
}

/// A tasklet of its own: `struct tasklet_struct` with all that its callback touches.
///
/// # Invariants
///
/// - `core` is the core of this very `T`, and `callback::<T>` finds this structure around it.
/// - While the tasklet can run, only its callback touches `state`. It cannot run from its creation
///   to the first schedule, after `Core::kill` until it is scheduled again, and while it is
///   disabled and its last run has ended.
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
    /// Process context. It is killed when it is dropped. One that is leaked is killed when the
    /// kernel frees the module.
    #[doc(alias = "tasklet_setup", alias = "tasklet_init")]
    pub fn new<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        Self::registered(handler, state, false)
    }

    /// Makes a tasklet that is disabled until [`born_disabled`](Self::born_disabled) is spent.
    ///
    /// Process context.
    #[doc(alias = "DECLARE_TASKLET_DISABLED")]
    pub fn new_disabled<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        Self::registered(handler, state, true)
    }

    /// Lends `f` a tasklet that is killed when `f` is done.
    ///
    /// Process context; may sleep. The tasklet lies on the stack of the caller: nothing is
    /// allocated and no lock is taken, and there is no way to leak it.
    pub fn scope<E, R>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        f: impl FnOnce(Pin<&mut Self>) -> R,
    ) -> Result<R>
    where
        Error: From<E>,
    {
        pin_init::stack_try_pin_init!(let tasklet =? Self::unregistered(handler, state, false));

        Ok(f(tasklet))
    }

    fn unregistered<E>(
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        disabled: bool,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        // INVARIANT: The core is made for this `T`. Nothing has scheduled the tasklet yet, and
        // nothing can before this is all initialised.
        try_pin_init!(Self {
            handler <- handler,
            state <- UnsafeCell::pin_init(state),
            core: Core::new::<T>(disabled),
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
        Self::unregistered(handler, state, disabled).pin_chain(|this| {
            REGISTRY.add(&this.core);
            Ok(())
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
    /// As others may hold guards too, and may be the last to let go, this lends no state; see
    /// [`disable_mut`](Self::disable_mut).
    #[doc(alias = "tasklet_disable")]
    pub fn disable(&self) -> Disabled<'_, T> {
        // SAFETY: The tasklet is initialised.
        unsafe { tasklet_disable(self.as_raw()) };

        Disabled { tasklet: self }
    }

    /// Keeps the tasklet from running again, but does not wait for a run that is under way.
    ///
    /// May be called from any context.
    #[doc(alias = "tasklet_disable_nosync")]
    pub fn disable_nosync(&self) -> DisabledNosync<'_, T> {
        // SAFETY: The tasklet is initialised.
        unsafe { tasklet_disable_nosync(self.as_raw()) };

        DisabledNosync {
            disabled: Disabled { tasklet: self },
        }
    }

    /// The disable that the tasklet was born with: `Some` for the first who asks, once.
    ///
    /// May be called from any context. `None` for a tasklet that was not born disabled, or was
    /// killed since, which enables it.
    pub fn born_disabled(&self) -> Option<Disabled<'_, T>> {
        // Relaxed: who gets the guard learns nothing but that it is the first.
        let was = self.core.born_disabled.xchg(0, ordering::Relaxed);

        // It never ran yet, so that there is no run to wait for. The guard must not even be made
        // for others, as its drop would enable the tasklet.
        (was == 1).then(|| Disabled { tasklet: self })
    }

    /// Keeps the tasklet from running, waits until it has stopped running, and lends its state.
    ///
    /// Process context; may sleep.
    #[doc(alias = "tasklet_disable")]
    pub fn disable_mut(self: Pin<&mut Self>) -> DisabledMut<'_, T> {
        let counted = !self.core.is_disabled();

        // The count must not wrap to 0 while the state is lent, however many guards were leaked. It
        // cannot: it goes from 0 to 1, or stays what it is, as `self` is borrowed exclusively.
        //
        // SAFETY: The tasklet is initialised.
        unsafe {
            if counted {
                tasklet_disable(self.as_raw());
            } else {
                // Whoever leaked the guard may not have waited.
                tasklet_unlock_wait(self.as_raw());
            }
        }

        // INVARIANT: `count` is not 0, and the last run has ended.
        DisabledMut {
            tasklet: self,
            counted,
        }
    }

    /// Waits until the tasklet is neither scheduled nor running, and gives its state back.
    ///
    /// Process context; may sleep. A pending run happens first, unless the tasklet is disabled: then
    /// it is discarded. A callback that wants to reschedule itself is not heard. Afterwards the
    /// tasklet is idle and enabled; scheduled again, it runs again.
    #[doc(alias = "tasklet_kill")]
    pub fn kill(self: Pin<&mut Self>) -> &mut T::State {
        // SAFETY: `self` is borrowed exclusively, so nobody else can call anything on the tasklet,
        // and no guard, which would borrow it too, is alive.
        unsafe { self.core.kill() };

        // SAFETY: Nothing runs the tasklet any more, and nothing can schedule it while the returned
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
        unsafe { self.core.kill() };
        REGISTRY.remove(&self.core);
    }
}

/// A tasklet that lives as long as the module: what `DECLARE_TASKLET` declares in C.
///
/// It can be used only through the [`TaskletHandle`] that [`take`](Self::take) gives out once, and
/// is killed when that is dropped. A handle that is leaked does no harm: the tasklet is killed when
/// the kernel frees the module.
///
/// # Invariants
///
/// Only the one [`TaskletHandle`], and nothing before it exists, uses `tasklet`.
pub struct StaticTasklet<T: TaskletHandler> {
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

    /// A tasklet for a `static` that is disabled until [`Tasklet::born_disabled`] is spent.
    #[doc(alias = "DECLARE_TASKLET_DISABLED")]
    pub const fn new_disabled(handler: T, state: T::State) -> Self {
        Self::declare(handler, state, true)
    }

    const fn declare(handler: T, state: T::State, disabled: bool) -> Self {
        // INVARIANT: As in `Tasklet::unregistered`.
        Self {
            tasklet: UnsafeCell::new(Tasklet {
                core: Core::new::<T>(disabled),
                handler,
                state: UnsafeCell::new(state),
            }),
            taken: Atomic::new(0),
        }
    }

    /// The handle: `Some` for the first who asks, once.
    ///
    /// Process context.
    pub fn take(&'static self) -> Option<TaskletHandle<T>> {
        // Relaxed: who gets the handle learns nothing but that it is the first.
        if self.taken.xchg(1, ordering::Relaxed) != 0 {
            return None;
        }

        // INVARIANT: This is the only handle.
        let handle = TaskletHandle { tasklet: self };
        REGISTRY.add(&handle.core);
        Some(handle)
    }
}

/// The right to use a [`StaticTasklet`]. It kills the tasklet when it is dropped.
///
/// # Invariants
///
/// There is no other handle of the same tasklet.
pub struct TaskletHandle<T: TaskletHandler> {
    tasklet: &'static StaticTasklet<T>,
}

impl<T: TaskletHandler> TaskletHandle<T> {
    /// The tasklet, for what needs it exclusively: a kill, or a disable that lends the state.
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
        self.as_mut().kill();
        REGISTRY.remove(&self.core);
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

    if this.core.request() == request::DISCARD {
        return;
    }

    // SAFETY: `this` is pinned, and so is its handler.
    let handler = unsafe { Pin::new_unchecked(&this.handler) };
    // SAFETY: The kernel runs a tasklet on one CPU at a time, and by the invariants of `Tasklet`
    // nothing but its callback touches the state while it can run.
    let state = unsafe { &mut *this.state.get() };

    T::run(
        handler,
        state,
        &TaskletContext {
            core: &this.core,
            _not_send: PhantomData,
        },
    );
}

/// The right to reschedule a running tasklet, which only its callback has, and cannot take along.
///
/// There is no way from here to anything that sleeps, such as a disable or a kill of oneself.
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
    /// Does nothing once the tasklet is being killed.
    #[doc(alias = "tasklet_schedule")]
    #[inline]
    pub fn schedule(&self) {
        if self.may_schedule() {
            // SAFETY: The tasklet is running, hence initialised and not dropped.
            unsafe { tasklet_schedule(self.core.tasklet.get()) }
        }
    }

    /// Asks for one more run, on this CPU, after this one and before those of normal priority.
    ///
    /// Does nothing once the tasklet is being killed.
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
        // SAFETY: The tasklet is initialised, and this guard stands for one disable.
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
/// `tasklet.count` is not 0, and the tasklet's last run has ended.
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
        // SAFETY: By the type invariant nothing runs the tasklet, and nothing can enable it: the
        // guard borrows the tasklet exclusively, and is itself borrowed for as long as the state.
        // `state` was made by an `Init`, which does not ask for it to stay pinned.
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
            // SAFETY: The tasklet is initialised, and this guard stands for one disable.
            unsafe { tasklet_enable(self.tasklet.as_raw()) }
        }
    }
}

/// All tasklets of this module that safe code could leak.
///
/// A tasklet that was leaked is never dropped, so its memory stays, but the code of its callback
/// goes when the module goes. So the last word is the kernel's: when it frees the module it calls
/// [`kill_leaked`], after the module's exit and before the code is gone.
///
/// # Invariants
///
/// The list holds the `node` of pinned [`Core`]s that were not dropped, and is changed only under
/// its bit lock. The zero that it begins with is an empty, unlocked list.
struct Registry(Opaque<bindings::hlist_bl_head>);

// SAFETY: The bit lock guards the list.
unsafe impl Sync for Registry {}

static REGISTRY: Registry = Registry(Opaque::new(bindings::hlist_bl_head {
    first: core::ptr::null_mut(),
}));

impl Registry {
    /// Process context.
    #[inline]
    fn add(&self, core: &Core) {
        let head = self.0.get();

        // SAFETY: The head is initialised; the node is unhashed, and taken out before it is freed.
        unsafe {
            hlist_bl_lock(head);
            hlist_bl_add_head(core.node.get(), head);
            hlist_bl_unlock(head);
        }
    }

    /// Process context. Does nothing for a core that was not added.
    #[inline]
    fn remove(&self, core: &Core) {
        // SAFETY: Only `add` and `remove` of this very core, which exclude each other, make `pprev`
        // NULL or not NULL.
        if !unsafe { (&raw const (*core.node.get()).pprev).read_volatile() }.is_null() {
            self.unhash(core);
        }
    }

    /// The rest of `remove`, out of the way of those who need it not.
    #[inline(never)]
    fn unhash(&self, core: &Core) {
        let head = self.0.get();

        // SAFETY: The head is initialised, and the node is hashed. Its neighbours are changed under
        // the lock.
        unsafe {
            hlist_bl_lock(head);
            hlist_bl_del_init(core.node.get());
            hlist_bl_unlock(head);
        }
    }

    fn first(&self) -> Option<&Core> {
        let head = self.0.get();

        // SAFETY: The head is initialised.
        let node = unsafe {
            hlist_bl_lock(head);
            let node = hlist_bl_first(head);
            hlist_bl_unlock(head);
            node
        };

        // SAFETY: By the type invariant a node in the list is that of a `Core` that is alive.
        (!node.is_null()).then(|| unsafe { &*container_of!(Opaque::cast_from(node), Core, node) })
    }
}

/// Kills every tasklet that was leaked.
///
/// # Safety
///
/// No code of this module runs, or will run, other than callbacks of its tasklets.
unsafe extern "C" fn kill_leaked(_: *mut ffi::c_void) {
    while let Some(core) = REGISTRY.first() {
        // SAFETY: By the requirements nobody is left to call anything on the tasklet.
        unsafe { core.kill() };
        REGISTRY.remove(core);
    }
}

/// Refuses the parameter that [`AT_MODULE_FREE`] had to give a name.
///
/// # Safety
///
/// None: it touches nothing. It is `unsafe` because C's type for it is.
unsafe extern "C" fn refuse(_: *const ffi::c_char, _: *const bindings::kernel_param) -> ffi::c_int {
    EINVAL.to_errno()
}

static AT_MODULE_FREE_OPS: bindings::kernel_param_ops = bindings::kernel_param_ops {
    flags: 0,
    set: Some(refuse),
    get: None,
    free: Some(kill_leaked),
};

/// Has the kernel call [`kill_leaked`] when it frees this module.
///
/// `free_module()` frees the parameters of a module with the `free` of their operations: after the
/// module's exit function or failed init function, before its memory, and in process context. No
/// safe code can prevent it, unlike a drop. This is a parameter for that purpose alone: it has no
/// entry in sysfs and no value.
#[cfg(MODULE)]
#[link_section = "__param"]
#[used(compiler)]
static AT_MODULE_FREE: KernelParam = KernelParam::new(bindings::kernel_param {
    name: as_char_ptr_in_const_context(c"tasklet_wrap"),
    mod_: &raw mut bindings::__this_module,
    ops: &raw const AT_MODULE_FREE_OPS,
    perm: 0,
    level: -1,
    flags: 0,
    __bindgen_anon_1: bindings::kernel_param__bindgen_ty_1 {
        arg: core::ptr::null_mut(),
    },
});
