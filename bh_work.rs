// SPDX-License-Identifier: GPL-2.0

//! BH work: work items that softirqs run soon, one CPU at a time. They replace tasklets.
//!
//! A workqueue made with `WQ_BH` has no threads: its items run in softirq context, on the CPU that
//! queued them, in the order of queueing. They run where tasklets run, in the same two softirqs,
//! and may not sleep either. But they are ordinary work items, which can be cancelled.
//!
//! The kernel crate knows the queues, as `kernel::workqueue::system_bh` and `system_bh_highpri`,
//! but its items cannot be cancelled, and are reference-counted: the last reference may go in
//! softirq context. Here an item has one owner, and owns what its callback touches.
//!
//! The same item can be made for an ordinary workqueue ([`BhQueue::Process`]), whose threads run it
//! in process context, where it may sleep. Everything else is the same, so a driver can move its
//! work from one context to the other by changing one word.
//!
//! # Vocabulary
//!
//! A [`BhWork`] has a [`BhWorkHandler`], which is shared, and the handler's
//! [`State`](BhWorkHandler::State), which only the callback may touch while it can run. There are
//! two ways to make one:
//!
//! - [`BhWork::scope`] lends an item to a closure and cancels it when the closure is done;
//! - [`BhWork::new`] makes one that lives in a `Box`, an `Arc` or another structure.
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
//! | `INIT_WORK` | [`BhWork::new`] | process |
//! | `INIT_WORK_ONSTACK`, `destroy_work_on_stack` | [`BhWork::scope`] | process |
//! | `queue_work(system_bh_wq, ...)` | [`BhWork::queue`], [`BhWorkContext::queue`] | any |
//! | `queue_work(system_bh_highpri_wq, ...)` | the same, of an item made for [`BhQueue::Highpri`] | any |
//! | `queue_work(system_percpu_wq, ...)` | the same, of an item made for [`BhQueue::Process`] | any |
//! | `cancel_work_sync` | [`BhWork::cancel`], the drop of an item | process, may sleep |
//!
//! *Any* is process, softirq and hard interrupt context.
//!
//! # Examples
//!
//! Work that an interrupt handler defers for as long as a device exists, in process context, where
//! it may allocate memory and take a mutex:
//!
//! ```
//! use bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler};
//! use core::pin::Pin;
//! use kernel::prelude::*;
//!
//! struct Collect;
//!
//! impl BhWorkHandler for Collect {
//!     type State = KVec<u32>;
//!
//!     fn run(self: Pin<&Self>, collected: &mut KVec<u32>, _cx: &BhWorkContext<'_>) {
//!         if collected.push(0, GFP_KERNEL).is_err() {
//!             pr_warn!("no memory for one more\n");
//!         }
//!     }
//! }
//!
//! #[pin_data]
//! struct Device {
//!     #[pin]
//!     collect: BhWork<Collect>,
//! }
//!
//! impl Device {
//!     fn new() -> impl PinInit<Self, Error> {
//!         try_pin_init!(Self {
//!             collect <- BhWork::new(BhQueue::Process, Collect, KVec::new()),
//!         })
//!     }
//!
//!     /// Called from the interrupt handler.
//!     fn interrupt(&self) {
//!         self.collect.queue();
//!     }
//! }
//! ```
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
//!   `PinnedDrop` runs before the drop of any field. It never moves, as it can only be initialised
//!   in place or lent pinned, and is not `Unpin`.
//! - **The callback has its state to itself.** A workqueue runs an item on one CPU at a time: if it
//!   is queued while it is running elsewhere, it is queued there. Process context gets the state
//!   from [`cancel`], which waits for a run to end, and borrows the item exclusively: while the
//!   state is lent nobody can queue it.
//! - **An item is bound to one queue.** The kernel guarantees the above for one workqueue at a time
//!   only. An item that runs on one queue and is queued on another may run on two CPUs at once, and
//!   a cancel would wait for the latter run only. So the queue is chosen when the item is made, and
//!   no call queues it on another one.
//! - **A cancel returns,** even for an item that queues itself for ever: `cancel_work_sync`
//!   disables the item meanwhile, so that queueing it has no effect, and enables it again at the
//!   end.
//! - **Nothing that sleeps can be reached from the callback's parameters:** a shared handler, the
//!   state and the context. (On [`BhQueue::Process`] sleeping is allowed.)
//! - **No callback outlives its module,** whatever was leaked. An item of a scope cannot be leaked:
//!   safe code never gets hold of the item itself. Any other item has an entry in the list of
//!   `unload.rs`: before the module's code is freed, the item is disabled for good, and its last
//!   run waited for. This holds where the file is part of the module that uses it; the limits in
//!   `unload.rs` say what does not hold for code that is built in.
//! - **Queueing and running take no memory** of their own.
//!
//! # Known limits
//!
//! - All items with the same handler type share one lockdep class, or two: one in softirq and one
//!   in process context. If a handler cancels or drops another item of its own type, lockdep takes
//!   it for a handler that waits for itself.
//! - The handler or the state may own values with which the callback can cancel another item or
//!   drop its own: an `Arc` of an item, for example. In softirq context `might_sleep` detects it.
//!   An item that waits for itself waits for ever, which lockdep detects.
//! - `disable_work` and `enable_work`, the counterparts of `tasklet_disable` and `tasklet_enable`,
//!   are missing: nothing needs them yet.
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
    task::might_sleep,
    types::{NotThreadSafe, Opaque},
};
use pin_init::Wrapper;

use super::unload::{Entry, Group, Operations};

extern "C" {
    // An inline of <linux/workqueue.h>, unless CONFIG_DEBUG_OBJECTS_WORK is set.
    #[link_name = "rust_helper_destroy_work_on_stack"]
    fn destroy_work_on_stack(work: *mut bindings::work_struct);
}

/// What an item does when it runs, and what it shares with the rest of the driver.
///
/// The handler itself is shared: the callback and process context use it at the same time, which is
/// why it is [`Sync`]. What only the callback touches goes into the `State`, and needs no lock.
///
/// A handler and its state may borrow, for an item of [`BhWork::scope`]; [`BhWork::new`] requires
/// `'static`.
pub trait BhWorkHandler: Sync {
    /// What only a running item may touch.
    ///
    /// It is [`Send`] because the callback runs on whichever CPU queued the item, while another
    /// thread made the state and gets it back.
    type State: Send;

    /// The callback.
    ///
    /// Runs in softirq context with hardware interrupts enabled: it must not sleep. On
    /// [`BhQueue::Process`] it runs in process context and may sleep. It never runs twice at the
    /// same time, wherever it is queued from.
    fn run(self: Pin<&Self>, state: &mut Self::State, cx: &BhWorkContext<'_>);
}

/// The available queues.
#[derive(Clone, Copy)]
pub enum BhQueue {
    /// Runs in `TASKLET_SOFTIRQ`, before tasklets of normal priority.
    #[doc(alias = "system_bh_wq")]
    Normal,
    /// Runs in `HI_SOFTIRQ`, before all other softirqs and before tasklets of high priority.
    #[doc(alias = "system_bh_highpri_wq")]
    Highpri,
    /// Runs in a thread of the CPU that queued it, in process context: it may sleep.
    #[doc(alias = "system_percpu_wq")]
    Process,
}

/// The part of an item that does not depend on its handler.
///
/// # Invariants
///
/// - `work` is initialised, as one on the stack if `on_stack`; its function is [`callback`] of the
///   `T` of the [`BhWork<T>`] that this core is a field of, and it stays at its address for as long
///   as the core lives.
/// - `work` has never been queued on another queue than `queue`.
#[pin_data]
struct Core {
    #[pin]
    work: Opaque<bindings::work_struct>,
    queue: BhQueue,
    on_stack: bool,
    entry: Entry,
    #[pin]
    _pin: PhantomPinned,
}

/// How to end a leaked item. It has ended as soon as it is disabled and not running: a disabled
/// item is in no list.
const STEPS: [super::unload::Step; 3] = [Core::shut_off, Core::is_quiet, Core::is_quiet];

const SOFTIRQ: Operations = Operations::Handler(Group::Softirq, STEPS);
const PROCESS: Operations = Operations::Handler(Group::Process, STEPS);

impl Core {
    /// Makes a core, which must become a field of a `BhWork<T>` for the same `T`. On the stack, it
    /// must be destroyed by `destroy_work_on_stack`.
    fn new<T: BhWorkHandler>(queue: BhQueue, on_stack: bool) -> impl PinInit<Self> {
        // INVARIANT: `ffi_init` runs `init_work_with_key` on the pinned place.
        pin_init!(Self {
            work <- Opaque::ffi_init(move |slot: *mut bindings::work_struct| {
                // SAFETY: `slot` is valid for writes of a `struct work_struct`, and pinned. The
                // name and the class are static.
                unsafe {
                    bindings::init_work_with_key(
                        slot,
                        Some(callback::<T>),
                        on_stack,
                        c"BhWork".as_char_ptr(),
                        lock_class::<T>(queue),
                    )
                }
            }),
            queue,
            on_stack,
            entry: Entry::unlisted(),
            _pin: PhantomPinned,
        })
    }

    /// Enters the list of entries that are ended when the module goes.
    ///
    /// # Safety
    ///
    /// As for [`Entry::add`], of `entry`.
    #[inline]
    unsafe fn add(&self) -> Result {
        let operations = match self.queue {
            BhQueue::Normal | BhQueue::Highpri => &SOFTIRQ,
            BhQueue::Process => &PROCESS,
        };

        // SAFETY: The caller's promise; the operations are those of a core.
        unsafe { self.entry.add(operations) }
    }

    fn queue(&self) -> bool {
        // SAFETY:
        // - The queues are made at boot, before any module is loaded, and never destroyed.
        // - `work` is initialised by the type invariants. It stays where it is until it was
        //   cancelled by the drop, which the borrow keeps away for the duration of this call.
        // - Interrupts, softirqs and tasks may all queue an item.
        unsafe {
            let queue = match self.queue {
                BhQueue::Normal => bindings::system_bh_wq,
                BhQueue::Highpri => bindings::system_bh_highpri_wq,
                BhQueue::Process => bindings::system_percpu_wq,
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
    /// For that to hold afterwards, only the callback may queue it from the beginning of this call.
    fn cancel(&self) {
        // C may sleep even for an item that was never queued, and PREEMPT_RT waits on a sleeping
        // lock.
        might_sleep();

        // A run that queues the item does not make this call wait for another one: the item is
        // disabled from the start of this call to its end. By the type invariants it was queued on
        // one queue only, so the place where it was last is the only one where it can be running.
        //
        // SAFETY: `work` is initialised by the type invariants.
        unsafe { bindings::cancel_work_sync(self.work.get()) };
    }

    /// The item that has `entry`.
    ///
    /// # Safety
    ///
    /// The operations of `entry` are [`SOFTIRQ`] or [`PROCESS`].
    unsafe fn work_of(entry: &Entry) -> *mut bindings::work_struct {
        // SAFETY: Only entries of cores are added with these operations.
        unsafe { &*container_of!(core::ptr::from_ref(entry), Core, entry) }
            .work
            .get()
    }

    /// The first step at the end of the module: from then on queueing has no effect, and a pending
    /// run is discarded. The owner's cancel disables the item once more, and reverts only that.
    ///
    /// # Safety
    ///
    /// As for [`Step`](super::unload::Step).
    #[inline]
    unsafe fn shut_off(entry: &Entry) -> bool {
        // SAFETY: The caller's entry has these operations. The item is initialised, and
        // `disable_work` may be called from any context.
        unsafe { bindings::disable_work(Self::work_of(entry)) };
        true
    }

    /// The other steps: a disabled item that is not running has ended. Once its function has
    /// returned, the kernel forgets where it ran, and no longer accesses it.
    ///
    /// # Safety
    ///
    /// As for [`Step`](super::unload::Step).
    #[inline]
    unsafe fn is_quiet(entry: &Entry) -> bool {
        // SAFETY: The caller's entry has these operations. The item is initialised. By the type
        // invariants it was queued on one queue only, so the place where it was last is the only
        // one where it can be running.
        let busy = unsafe { bindings::work_busy(Self::work_of(entry)) };

        busy & bindings::wq_misc_consts_WORK_BUSY_RUNNING == 0
    }
}

/// The lockdep class of all items with this handler that run in the same kind of context.
///
/// A static within a generic function would be shared by all types, and lockdep would take a
/// handler that cancels an item of another type for one that waits for itself. Also, a class that
/// is used in softirqs must not be used with softirqs enabled.
fn lock_class<T: BhWorkHandler>(queue: BhQueue) -> *mut bindings::lock_class_key {
    type Key = (bindings::work_func_t, bool);

    // Lockdep tells classes by the address of their key, and never reads or writes a static one.
    // These are constants that differ from type to type, in the read-only data of the module or the
    // kernel.
    let key: &'static Key = match queue {
        BhQueue::Normal | BhQueue::Highpri => const { &(Some(callback::<T>), true) },
        BhQueue::Process => const { &(Some(callback::<T>), false) },
    };

    core::ptr::from_ref(key).cast_mut().cast()
}

/// A work item: `struct work_struct` with everything that its callback touches.
///
/// # Invariants
///
/// - `core` is the core of this very `T`, so that `callback::<T>` finds this structure around it.
/// - While the item can run, only its callback touches `state`. It cannot run from its creation to
///   the first queueing, from a cancel until it is queued again, and once the end of the module has
///   disabled it and its last run has ended.
#[pin_data(PinnedDrop)]
pub struct BhWork<T: BhWorkHandler> {
    #[pin]
    core: Core,
    #[pin]
    handler: T,
    #[pin]
    state: UnsafeCell<T::State>,
}

// SAFETY: The item is not bound to the task that made it; what it owns can be sent along.
unsafe impl<T: BhWorkHandler + Send> Send for BhWork<T> {}
// SAFETY: A shared reference gives access to `T`, which is `Sync`, and to the queueing of the item,
// which the kernel lets any number of CPUs call at once. It gives no access to the state.
unsafe impl<T: BhWorkHandler> Sync for BhWork<T> {}

impl<T: BhWorkHandler> BhWork<T> {
    /// Lends `f` an item for `queue`, and cancels it when `f` returns.
    ///
    /// Process context; may sleep. The item lies on the stack of the caller: nothing is allocated,
    /// and there is no way to leak it.
    ///
    /// So the handler and the state may borrow whatever lives longer than this call. `f` gets only
    /// a `Pin<&mut Self>`, for a lifetime that it cannot choose: it can neither move the item out,
    /// which is not `Unpin`, nor keep it. The item itself is a variable of this function, so its
    /// drop, which cancels it, runs after `f` and before this returns, whatever `f` did or leaked.
    /// The handler cannot borrow its own item: because an item has a drop, the compiler requires
    /// that whatever the handler borrows outlives the item.
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
        pin_init::stack_try_pin_init!(
            let work =? Self::unregistered(queue, handler, state, true)
        );

        Ok(f(work))
    }

    /// Makes an item for `queue`, which runs only when it is queued.
    ///
    /// Process context; may sleep. The item is cancelled when it is dropped. A leaked one is
    /// disabled before the module's code is freed.
    ///
    /// # Errors
    ///
    /// - Those of the initialisers.
    /// - `ENODEV` when the module is going.
    #[doc(alias = "INIT_WORK")]
    pub fn new<E>(
        queue: BhQueue,
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
        T: 'static,
    {
        Self::unregistered(queue, handler, state, false).pin_chain(|this| {
            // SAFETY: The item is pinned, and its drop removes the entry.
            unsafe { this.core.add() }
        })
    }

    fn unregistered<E>(
        queue: BhQueue,
        handler: impl PinInit<T, E>,
        state: impl Init<T::State, E>,
        on_stack: bool,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        // The core comes last: once it is made, nothing fails that would leave it undestroyed.
        //
        // INVARIANT: The core is made for this `T`. Nothing has queued it yet, and nothing can
        // before this is all initialised.
        try_pin_init!(Self {
            handler <- handler,
            state <- UnsafeCell::pin_init(state),
            core <- Core::new::<T>(queue, on_stack),
        }? Error)
    }

    /// The shared part.
    pub fn handler(self: Pin<&Self>) -> Pin<&T> {
        // SAFETY: `handler` is pinned along with `self`.
        unsafe { self.map_unchecked(|this| &this.handler) }
    }

    /// Asks for one run, soon, on this CPU. Returns whether no run was pending before.
    ///
    /// May be called from any context. If a run is already pending, that one serves both. If the
    /// item is running, it runs once more, on the CPU where it is running.
    #[doc(alias = "queue_work")]
    pub fn queue(&self) -> bool {
        self.core.queue()
    }

    /// Waits until the item is neither pending nor running, and lends its state.
    ///
    /// Process context; may sleep. A pending run is discarded. A run in progress ends, and cannot
    /// queue the item again. Afterwards the item is idle; queued again, it runs again, unless the
    /// module is going.
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
        // This runs before any field is dropped, in whatever order they stand. Nobody else can
        // queue the item: `self` is borrowed exclusively.
        if self.core.on_stack {
            self.core.cancel();
            // SAFETY: The item was made as one on the stack, is idle, and is not used any more.
            unsafe { destroy_work_on_stack(self.core.work.get()) };
        } else {
            // SAFETY: Any other item was added when it was made, and only this removes its entry.
            unsafe { self.core.entry.remove_slow() };
            self.core.cancel();
        }
    }
}

/// The function that the kernel calls for every `BhWork<T>`.
///
/// # Safety
///
/// `work` is that of a `BhWork<T>`, and the kernel's workqueue code is the caller.
unsafe extern "C" fn callback<T: BhWorkHandler>(work: *mut bindings::work_struct) {
    let core = container_of!(Opaque::cast_from(work), Core, work);
    // SAFETY: By the invariants of `BhWork` there is a `BhWork<T>` around the core. It is alive
    // until it was cancelled, which waits for the end of this function. Others may hold a `Pin<&mut
    // BhWork<T>>` meanwhile: as it is not `Unpin`, that is not unique.
    let this = unsafe { &*container_of!(core, BhWork<T>, core) };

    // SAFETY: `this` is pinned, and so is its handler.
    let handler = unsafe { Pin::new_unchecked(&this.handler) };
    // SAFETY: The kernel runs an item on one CPU at a time, as long as it is queued on one
    // workqueue only, which it is by the invariants of `Core`. By the invariants of `BhWork`
    // nothing but its callback touches the state while it can run.
    let state = unsafe { &mut *this.state.get() };

    // INVARIANT: This is the callback.
    T::run(
        handler,
        state,
        &BhWorkContext {
            core: &this.core,
            _not_send: PhantomData,
        },
    );
}

/// The right to queue a running item again. Only its callback has it, and cannot keep it.
///
/// The callback cannot reach a cancel of its own item from here, which would wait for ever.
///
/// # Invariants
///
/// The callback of the item of `core` is running, in this thread, as long as this lives.
pub struct BhWorkContext<'a> {
    core: &'a Core,
    _not_send: PhantomData<NotThreadSafe>,
}

impl BhWorkContext<'_> {
    /// Asks for one more run, on this CPU, after this one. Returns whether none was pending before.
    ///
    /// Has no effect once the item is being cancelled or the module is going.
    #[doc(alias = "queue_work")]
    pub fn queue(&self) -> bool {
        self.core.queue()
    }
}
