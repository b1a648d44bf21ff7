// SPDX-License-Identifier: GPL-2.0

//! BH work: work items that softirqs run soon, one CPU at a time. The successor of tasklets.
//!
//! A workqueue made with `WQ_BH` has no threads: its items run in softirq context, on the CPU that
//! queued them, in the order of queueing. They run where tasklets run, in the same two softirqs,
//! and may not sleep either. But they are ordinary work items, which can be cancelled.
//!
//! The kernel crate knows the queues, as `kernel::workqueue::system_bh` and `system_bh_highpri`, but
//! its items cannot be cancelled, and are reference-counted: the last reference may go in softirq
//! context. Here an item is lent for the duration of a call, and owns what its callback touches.
//!
//! # Vocabulary
//!
//! A [`BhWork`] has a [`BhWorkHandler`], which everybody shares, and the handler's
//! [`State`](BhWorkHandler::State), which only the callback may touch while it can run.
//! [`BhWork::scope`] is the only way to have one: it lends an item to a closure, and cancels it when
//! the closure is done.
//!
//! ```text
//!                  queue                    softirq
//!      +--------+          +-------------+            +-----------+
//!  --->|  idle  |--------->|   pending   |----------->|  running  |---+
//!      +--------+          +-------------+            +-----------+   |
//!       ^      ^            |          ^                  |     |     |
//!       |      |   cancel   |          |  queued again,   |     |     |
//!       |      +------------+          |  by itself, too  |     |     |
//!       |                              +------------------+     |     |
//!       |                                                       |     |
//!       |  returns; cancel waits for that                       |     |
//!       +-------------------------------------------------------+-----+
//! ```
//!
//! # From C to Rust
//!
//! | C | Rust | called from |
//! | --- | --- | --- |
//! | `INIT_WORK_ONSTACK`, `destroy_work_on_stack` | [`BhWork::scope`] | process |
//! | `queue_work(system_bh_wq, ...)` | [`BhWork::queue`], [`BhWorkContext::queue`] | any |
//! | `queue_work(system_bh_highpri_wq, ...)` | the same, of an item made for [`BhQueue::Highpri`] | any |
//! | `cancel_work_sync` | [`BhWork::cancel`], the end of the scope | process, may sleep |
//!
//! *Any* is process, softirq and hard interrupt context.
//!
//! # Examples
//!
//! An item that queues itself until it has run three times, and is idle at the end of the call in
//! any case:
//!
//! ```
//! use bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler};
//! use core::pin::Pin;
//! use kernel::{prelude::*, sync::Completion};
//!
//! #[pin_data]
//! struct ThreeRuns {
//!     #[pin]
//!     done: Completion,
//! }
//!
//! impl BhWorkHandler for ThreeRuns {
//!     type State = u32;
//!
//!     fn run(self: Pin<&Self>, runs: &mut u32, cx: &BhWorkContext<'_>) {
//!         *runs += 1;
//!         if *runs < 3 {
//!             cx.queue();
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
//!     BhWork::scope(BhQueue::Normal, handler, 0, |mut work| {
//!         work.queue();
//!         work.as_ref().handler().get_ref().done.wait_for_completion();
//!         *work.as_mut().cancel()
//!     })
//! }
//! ```
//!
//! # Guarantees
//!
//! - **What the callback touches is alive.** The item owns it, and drops it only after a cancel:
//!   `PinnedDrop` runs before the drop of any field. It never moves, as it is only ever lent pinned.
//! - **The callback has its state to itself.** A workqueue runs an item on one CPU at a time: who
//!   queues one that is running elsewhere, queues it there. Process context gets the state from
//!   [`cancel`], which waits for a run to end, and borrows the item exclusively: while the state is
//!   lent nobody can queue it.
//! - **An item has one queue for life.** The kernel promises the above for one workqueue at a time
//!   only. An item that runs on one queue and is queued on another one may run on two CPUs at once,
//!   and a cancel would wait for the latter run only. So there is no call that queues on the other
//!   queue: which it is, is said when the item is made.
//! - **A cancel ends,** also for an item that queues itself for ever: `cancel_work_sync` disables the
//!   item meanwhile, so that no queueing has an effect, and enables it again at its end.
//! - **Nothing that sleeps can be reached from the callback's parameters:** a shared handler, the
//!   state and the context. A handler and a state borrow nothing, so not even the item itself can be
//!   reached from there.
//! - **No code of an unloaded module runs.** No item outlives the call of [`BhWork::scope`] that made
//!   it, and safe code cannot leak one: it never gets hold of the item itself.
//! - **Queueing and running take no memory** of their own.
//!
//! # Known limits
//!
//! - All items of a module are of one class for lockdep. That finds no deadlocks that are none: who
//!   cancels may sleep, and so holds no lock that a callback could wait for.
//! - `disable_work` and `enable_work`, the counterparts of `tasklet_disable` and `tasklet_enable`, are
//!   not here: nobody needed them yet.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h); the code is in
//! [`kernel/workqueue.c`](srctree/kernel/workqueue.c).
//!
//! [`cancel`]: BhWork::cancel

use core::{
    cell::UnsafeCell,
    marker::{PhantomData, PhantomPinned},
    pin::Pin,
};
use kernel::{
    bindings, container_of, ffi,
    prelude::*,
    sync::static_lock_class,
    task::might_sleep,
    types::{NotThreadSafe, Opaque},
};
use pin_init::Wrapper;

extern "C" {
    // An inline of <linux/workqueue.h>, unless CONFIG_DEBUG_OBJECTS_WORK is set.
    #[link_name = "rust_helper_destroy_work_on_stack"]
    fn destroy_work_on_stack(work: *mut bindings::work_struct);
}

/// What an item does when it runs, and what it shares with the rest of the driver.
///
/// The handler itself is shared: the callback and process context use it at the same time, which is
/// why it is [`Sync`]. What only the callback touches goes into the `State`, and needs no lock.
pub trait BhWorkHandler: Sync + 'static {
    /// What only a running item may touch.
    ///
    /// It is [`Send`] because the callback runs on whichever CPU queued the item, while another
    /// thread made the state and gets it back.
    type State: Send;

    /// The callback.
    ///
    /// Runs in softirq context with hardware interrupts enabled: it must not sleep. It never runs
    /// twice at the same time, wherever it is queued from.
    fn run(self: Pin<&Self>, state: &mut Self::State, cx: &BhWorkContext<'_>);
}

/// The queues that there are.
#[derive(Clone, Copy)]
pub enum BhQueue {
    /// Runs in `TASKLET_SOFTIRQ`, before tasklets of normal priority.
    #[doc(alias = "system_bh_wq")]
    Normal,
    /// Runs in `HI_SOFTIRQ`, before all other softirqs and before tasklets of high priority.
    #[doc(alias = "system_bh_highpri_wq")]
    Highpri,
}

/// The part of an item that does not depend on its handler.
///
/// # Invariants
///
/// - `work` is initialised as one on the stack, its function is [`callback`] of the `T` of the
///   [`BhWork<T>`] that this core is a field of, and it stays at its address for as long as the
///   core lives.
/// - `work` has never been queued on another queue than `queue`.
#[pin_data]
struct Core {
    #[pin]
    work: Opaque<bindings::work_struct>,
    queue: BhQueue,
    #[pin]
    _pin: PhantomPinned,
}

impl Core {
    /// Makes a core on the stack, which must become a field of a `BhWork<T>` for the same `T`, and
    /// be destroyed by `destroy_work_on_stack`.
    fn new<T: BhWorkHandler>(queue: BhQueue) -> impl PinInit<Self> {
        // INVARIANT: `ffi_init` runs `init_work_with_key` on the pinned place.
        pin_init!(Self {
            work <- Opaque::ffi_init(|slot: *mut bindings::work_struct| {
                // SAFETY: `slot` is valid for writes of a `struct work_struct`, and pinned. The name
                // and the class are static.
                unsafe {
                    bindings::init_work_with_key(
                        slot,
                        Some(callback::<T>),
                        true,
                        c"BhWork".as_char_ptr(),
                        static_lock_class!().as_ptr(),
                    )
                }
            }),
            queue,
            _pin: PhantomPinned,
        })
    }

    fn queue(&self) -> bool {
        // SAFETY:
        // - Both queues are made at boot, before any module is loaded, and never destroyed.
        // - `work` is initialised by the type invariants. It stays where it is until it was
        //   cancelled by the drop, which the borrow keeps away for the duration of this call.
        // - Interrupts, softirqs and tasks may all queue an item.
        unsafe {
            let queue = match self.queue {
                BhQueue::Normal => bindings::system_bh_wq,
                BhQueue::Highpri => bindings::system_bh_highpri_wq,
            };

            bindings::queue_work_on(
                bindings::wq_misc_consts_WORK_CPU_UNBOUND as ffi::c_int,
                queue,
                self.work.get(),
            )
        }
    }

    /// Waits until the item is neither pending nor running. A pending run is discarded.
    ///
    /// For that to be true afterwards, nobody but the callback may queue it from the beginning of
    /// this call.
    fn cancel(&self) {
        // So does C for an item that was never queued, and PREEMPT_RT waits on a lock that sleeps.
        might_sleep();

        // A run that queues the item does not make this call wait for another one: the item is
        // disabled from the start of this call to its end. By the type invariants it was queued on
        // one queue only, so the place where it was last is the only one where it can be running.
        //
        // SAFETY: `work` is initialised by the type invariants.
        unsafe { bindings::cancel_work_sync(self.work.get()) };
    }
}

/// A work item for softirqs: `struct work_struct` with all that its callback touches.
///
/// # Invariants
///
/// - It is on a stack, and `core` is the core of this very `T`, so that `callback::<T>` finds this
///   structure around it.
/// - While the item can run, only its callback touches `state`. It cannot run from its creation to
///   the first queueing, and from a cancel until it is queued again.
#[pin_data(PinnedDrop)]
pub struct BhWork<T: BhWorkHandler> {
    #[pin]
    core: Core,
    #[pin]
    handler: T,
    #[pin]
    state: UnsafeCell<T::State>,
}

// SAFETY: A shared reference gives access to `T`, which is `Sync`, and to the queueing of the item,
// which the kernel lets any number of CPUs call at once. It gives no access to the state.
unsafe impl<T: BhWorkHandler> Sync for BhWork<T> {}

impl<T: BhWorkHandler> BhWork<T> {
    /// Lends `f` an item for `queue`, which is cancelled when `f` is done.
    ///
    /// Process context; may sleep. The item lies on the stack of the caller: nothing is allocated,
    /// and there is no way to leak it.
    ///
    /// # Errors
    ///
    /// Those of the initialisers. `f` is not called then.
    #[doc(alias = "INIT_WORK_ONSTACK")]
    pub fn scope<E, R>(
        queue: BhQueue,
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        f: impl FnOnce(Pin<&mut Self>) -> R,
    ) -> Result<R>
    where
        Error: From<E>,
    {
        // The core comes last: once it is made, nothing fails that would leave it undestroyed.
        //
        // INVARIANT: The core is made for this `T`, on the stack. Nothing has queued it yet, and
        // nothing can before this is all initialised.
        pin_init::stack_try_pin_init!(let work =? try_pin_init!(Self {
            handler <- handler,
            state <- UnsafeCell::pin_init(state),
            core <- Core::new::<T>(queue),
        }? Error));

        Ok(f(work))
    }

    /// The shared part.
    pub fn handler(self: Pin<&Self>) -> Pin<&T> {
        // SAFETY: `handler` is pinned along with `self`.
        unsafe { self.map_unchecked(|this| &this.handler) }
    }

    /// Asks for one run, soon, on this CPU. Tells whether no run was pending before.
    ///
    /// May be called from any context. If a run is already pending, that one serves both. If the
    /// item is running, it runs once more, on the CPU where it is running.
    #[doc(alias = "queue_work")]
    pub fn queue(&self) -> bool {
        self.core.queue()
    }

    /// Waits until the item is neither pending nor running, and gives its state back.
    ///
    /// Process context; may sleep. A pending run is discarded; one that is under way ends, but is
    /// not heard if it wants to queue itself. Afterwards the item is idle; queued again, it runs
    /// again.
    #[doc(alias = "cancel_work_sync")]
    pub fn cancel(self: Pin<&mut Self>) -> &mut T::State {
        self.core.cancel();

        // SAFETY: `self` was borrowed exclusively for all of the cancel, so nobody but the callback
        // could queue the item. Nothing runs it any more, and nothing can queue it while the
        // returned borrow lives. So it is the only access to the state. `state` was made by an
        // `Init`, which does not ask for it to stay pinned.
        unsafe { &mut *self.state.get() }
    }
}

#[pinned_drop]
impl<T: BhWorkHandler> PinnedDrop for BhWork<T> {
    fn drop(self: Pin<&mut Self>) {
        // This runs before any field is dropped, in whatever order they stand. Nobody else can queue
        // the item: `self` is borrowed exclusively.
        self.core.cancel();
        // SAFETY: The item was made as one on the stack, is idle, and is not used any more.
        unsafe { destroy_work_on_stack(self.core.work.get()) };
    }
}

/// The function that the kernel calls for every `BhWork<T>`.
///
/// # Safety
///
/// `work` is that of a `BhWork<T>`, and the kernel's workqueue code is the caller.
unsafe extern "C" fn callback<T: BhWorkHandler>(work: *mut bindings::work_struct) {
    let core = container_of!(Opaque::cast_from(work), Core, work);
    // SAFETY: By the invariants of `BhWork` there is a `BhWork<T>` around the core. It is alive until
    // it was cancelled, which waits for the end of this function. Others may hold a
    // `Pin<&mut BhWork<T>>` meanwhile: as it is not `Unpin`, that is not unique.
    let this = unsafe { &*container_of!(core, BhWork<T>, core) };

    // SAFETY: `this` is pinned, and so is its handler.
    let handler = unsafe { Pin::new_unchecked(&this.handler) };
    // SAFETY: The kernel runs an item on one CPU at a time, as long as it is queued on one workqueue
    // only, which it is by the invariants of `Core`. By the invariants of `BhWork` nothing but its
    // callback touches the state while it can run.
    let state = unsafe { &mut *this.state.get() };

    T::run(
        handler,
        state,
        &BhWorkContext {
            core: &this.core,
            _not_send: PhantomData,
        },
    );
}

/// The right to queue a running item again, which only its callback has, and cannot take along.
///
/// There is no way from here to a cancel of oneself, which would wait for ever.
pub struct BhWorkContext<'a> {
    core: &'a Core,
    _not_send: PhantomData<NotThreadSafe>,
}

impl BhWorkContext<'_> {
    /// Asks for one more run, on this CPU, after this one. Tells whether none was pending before.
    ///
    /// Has no effect once the item is being cancelled.
    #[doc(alias = "queue_work")]
    pub fn queue(&self) -> bool {
        self.core.queue()
    }
}
