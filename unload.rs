// SPDX-License-Identifier: GPL-2.0

//! Ends what safe code leaked, before this module's code is freed.
//!
//! Safe code may leak any value, so the drop that would have stopped a callback may never run. The
//! memory of a leaked value stays, but the code of its callback is freed with the module. A
//! reference to the module does not help: it would make `rmmod` fail for ever, and nothing refers
//! to a module whose `init` fails. So every value that makes the kernel call code of this module,
//! and that can be leaked, has an [`Entry`] in the list of this file, which ends all of them when
//! the module goes.
//!
//! # When
//!
//! The hook is a module notifier, which is called for `MODULE_STATE_GOING`: after the module's exit
//! function, or its failed `init`, and before the kernel takes down anything of the module. It has
//! the highest priority, so it runs before the notifiers of tracing and live patching.
//!
//! A load that fails before `init`, in `parse_args` or sysfs, frees the module's parameters before
//! it calls the notifiers. So this file also has a parameter, whose `free` does the same if the
//! notifier was not called. The `free` also takes the notifier out of the chain, which the notifier
//! cannot do itself: the chain is locked while it is called. Once the notifier was called, the
//! `free` makes direct calls only, because `free_module` calls it after `module_arch_cleanup`,
//! which on x86 frees the thunks for this module's indirect calls.
//!
//! # In which order
//!
//! First the list is closed for good: from then on, [`add`](Entry::add) fails. Then come, in this
//! order:
//!
//! 1. *Files*, until none is left. Their `show` may sleep and use anything else.
//! 2. *Handlers in process context* (work items of an ordinary workqueue), which may wait for
//!    handlers of the last group.
//! 3. *Handlers in softirq context* (tasklets and BH work items).
//!
//! All entries of a group take each [step](Operations::Handler) together: first each is shut off
//! for good, so its handler is no longer called even if it is scheduled; then none is running; then
//! each is out of the kernel's lists, for good.
//!
//! # Concurrency
//!
//! Other threads may use and drop entries meanwhile: a `show` that the first group waits for, or a
//! handler of the second group. An entry is alive as long as it is in the list and the list is
//! locked: its owner removes it under the lock before its memory is freed. So every access to an
//! entry is under the lock, where nothing sleeps. A file is marked as taken, and then removed
//! without the lock; its owner's drop waits until it is marked as gone.
//!
//! # Guarantees
//!
//! When the hook has returned, the kernel calls no handler and no `show` that belongs to an entry,
//! and holds no pointer to one in a list of things to run.
//!
//! # Known limits
//!
//! - A value without an entry is not ended here: for example a work item of `kernel::workqueue`,
//!   which may be pending when its module goes.
//! - A `show`, or a handler in process context, that never returns keeps `rmmod` waiting for ever.
//!   So does one that waits indefinitely for the run of a handler of its own group.
//! - The hook holds the lock of the chain of module notifiers, shared. No `show` or handler in
//!   process context may load or unload another module and wait for that meanwhile.
//! - With CONFIG_DEBUG_NOTIFIERS the kernel warns about an invalid notifier if another module is
//!   loaded or unloaded in the short time in which `free_module` has this module's state at
//!   `MODULE_STATE_UNFORMED` and has not freed its parameters.
//! - Code that is built into the kernel has no hook, and needs none for its own callbacks, because
//!   it is never freed. But the callbacks of a generic type are compiled into the module that uses
//!   it: if this file were built in, they would be freed with that module, unnoticed. So the files
//!   that rely on this one belong in the module whose callbacks they hold.
//!
//! C headers: [`include/linux/module.h`](srctree/include/linux/module.h),
//! [`include/linux/notifier.h`](srctree/include/linux/notifier.h); the order of events is in
//! [`kernel/module/main.c`](srctree/kernel/module/main.c).

use super::versions::smp_mb;
use core::{marker::PhantomPinned, ptr::null_mut};
use kernel::{
    bindings, container_of,
    prelude::*,
    sync::atomic::{ordering, Atomic},
    task::might_sleep,
    types::Opaque,
};

// The inlines of <linux/list_bl.h>, and combinations of them.
extern "C" {
    #[link_name = "rust_helper_hlist_bl_lock"]
    fn hlist_bl_lock(b: *mut bindings::hlist_bl_head);
    #[link_name = "rust_helper_hlist_bl_unlock"]
    fn hlist_bl_unlock(b: *mut bindings::hlist_bl_head);
    #[link_name = "rust_helper_hlist_bl_lock_add_unlock"]
    fn hlist_bl_lock_add_unlock(n: *mut bindings::hlist_bl_node, h: *mut bindings::hlist_bl_head);
    #[link_name = "rust_helper_hlist_bl_lock_del_unlock"]
    fn hlist_bl_lock_del_unlock(n: *mut bindings::hlist_bl_node, h: *mut bindings::hlist_bl_head);
}

/// Ends a file. Called without the lock; may sleep.
///
/// # Safety
///
/// The argument is an entry whose operations contain this function. It is called once for it, and
/// the entry stays alive until this returns.
pub type Remove = unsafe fn(&Entry);

/// Takes a handler through one step. Returns whether the step is complete; if not, this is called
/// again later. Must not sleep.
///
/// # Safety
///
/// The argument is an entry whose operations contain this function, and it is in the list, which is
/// locked.
pub type Step = unsafe fn(&Entry) -> bool;

/// The group of a handler: the phase of its first step.
#[derive(Clone, Copy)]
pub enum Group {
    /// It runs in process context, and may wait for one of the others.
    Process = 1,
    /// It runs in softirq context.
    Softirq = 4,
}

/// The first phase is that of files.
const FILES: usize = 0;
const PHASES: usize = 7;

/// How an entry is ended.
pub enum Operations {
    /// A file. Files are removed before any handler is ended.
    File(Remove),
    /// Something with a handler that the kernel calls.
    ///
    /// 1. Shuts it off for good: from then on its handler is not called. A running handler
    ///    continues.
    /// 2. Returns whether its handler is not running. Not called again once that was true.
    /// 3. Takes it out of the kernel's lists, for good.
    Handler(Group, [Step; 3]),
}

/// How far an entry has been ended: the last phase that a handler has completed, or for a file:
mod progress {
    /// It is in use.
    pub(super) const NONE: isize = 0;
    /// It is being removed without the lock.
    pub(super) const TAKEN: isize = 1;
    /// It was removed.
    pub(super) const GONE: isize = 2;
}

/// An entry in the list of what is ended before this module's code is freed.
///
/// # Invariants
///
/// - From [`add`](Self::add) to [`remove`](Self::remove) the entry is in [`LIST`] and pinned, and
///   `operations` is initialised.
/// - `progress` is written under the lock of the list only, or by the thread that made it
///   [`TAKEN`](progress::TAKEN).
pub struct Entry {
    node: Opaque<bindings::hlist_bl_node>,
    operations: Opaque<&'static Operations>,
    progress: Atomic<isize>,
    _pin: PhantomPinned,
}

// SAFETY: The list and its lock may be used from any thread.
unsafe impl Send for Entry {}
// SAFETY: The neighbours of the node are changed under the lock of the list only, `progress` is
// atomic, and `operations` does not change while the entry is in the list.
unsafe impl Sync for Entry {}

impl Entry {
    /// Makes an entry that is not in the list.
    #[inline(always)]
    pub const fn unlisted() -> Self {
        // INVARIANT: Neither was called.
        Self {
            node: Opaque::uninit(),
            operations: Opaque::uninit(),
            progress: Atomic::new(progress::NONE),
            _pin: PhantomPinned,
        }
    }

    /// Enters the list.
    ///
    /// Process context; may sleep.
    ///
    /// # Errors
    ///
    /// As for [`prepare`]. The entry is in the list nevertheless.
    ///
    /// # Safety
    ///
    /// - The entry is pinned. This is called once, and [`remove`](Self::remove) is called before
    ///   the memory goes, also if this fails.
    /// - Until then, the operations may be called on it as their types require.
    #[inline]
    pub unsafe fn add(&self, operations: &'static Operations) -> Result {
        debug_might_sleep();

        // INVARIANT: The caller has pinned the entry, and `operations` is initialised.
        //
        // SAFETY: The head is initialised. The node is not in the list, so nobody else uses the
        // entry, and is removed before it goes.
        unsafe {
            self.operations.get().write(operations);
            hlist_bl_lock_add_unlock(self.node.get(), LIST.0.get());
        }

        // The sweep closes the list before it first locks it. If it closes it after the addition
        // above, it finds the entry. If before, its lock and ours order the two, and this sees that
        // the list is closed. If the hook is not registered yet, this registers it.
        prepare()
    }

    /// Leaves the list. Afterwards no operation is called on the handler.
    ///
    /// Process context.
    ///
    /// # Safety
    ///
    /// [`add`](Self::add) was called, and nothing else takes this entry out of the list.
    #[inline]
    pub unsafe fn remove(&self) {
        debug_might_sleep();

        // SAFETY: The head and the node are initialised. The node is in the list: `add` puts it
        // there also when it fails, and by the caller's promise this is the first to take it out.
        unsafe { hlist_bl_lock_del_unlock(self.node.get(), LIST.0.get()) };
    }

    /// As [`remove`](Self::remove), but out of line, for callers where size matters more than
    /// speed.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    #[inline(never)]
    pub unsafe fn remove_slow(&self) {
        // SAFETY: The requirements are the same.
        unsafe { self.remove() };
    }

    /// As [`remove`](Self::remove), for a file. Returns whether the caller has to remove the file;
    /// if not, it has been removed.
    ///
    /// Process context; may sleep.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    pub unsafe fn remove_file(&self) -> bool {
        // SAFETY: The requirements are the same.
        unsafe { self.remove_slow() };

        // Nobody can take the file any more, but somebody may have taken it before. Acquire: what
        // the other thread did to the file comes before its memory is freed. `GONE` is its last
        // access.
        loop {
            match self.progress.load(ordering::Acquire) {
                progress::NONE => return true,
                progress::GONE => return false,
                _ => sleep_a_tick(),
            }
        }
    }
}

/// The list of everything that safe code of this module could leak.
///
/// # Invariants
///
/// The list holds the nodes of pinned [`Entry`]s that are alive, and is changed only under its bit
/// lock. The zero that it begins with is an empty, unlocked list.
struct List(Opaque<bindings::hlist_bl_head>);

// SAFETY: The bit lock guards the list.
unsafe impl Sync for List {}

static LIST: List = List(Opaque::new(bindings::hlist_bl_head { first: null_mut() }));

/// The result of a pass over the list.
enum Look {
    /// All entries have completed the phase.
    Through,
    /// Some have not.
    Again,
    /// This file has been marked as taken, for the caller to remove.
    Taken(*const Entry, Remove),
}

impl List {
    /// Takes all entries through a phase, as far as possible without waiting.
    #[cold]
    #[inline(never)]
    fn look(&self, phase: usize) -> Look {
        let mut look = Look::Through;

        // SAFETY: The head is initialised, and nobody who waits for this thread holds the lock:
        // nothing sleeps under it, and no interrupt uses the list.
        unsafe { hlist_bl_lock(self.0.get()) };

        // The lock is bit 0 of the pointer.
        //
        // SAFETY: The head is initialised, and locked.
        let mut node = unsafe { (*self.0.get()).first }.map_addr(|first| first & !1);
        while !node.is_null() {
            // SAFETY: By the type invariants a node in the list is that of an `Entry` that is
            // alive, and stays there as long as the list is locked.
            let entry = unsafe { &*container_of!(Opaque::cast_from(node), Entry, node) };
            let progress = entry.progress.as_ptr();

            // SAFETY: By the type invariants `operations` is initialised. They are those of this
            // entry, which is in the locked list. `progress` is written by the lock's holder, but
            // for a file that was taken, which is a single store elsewhere: volatile accesses are
            // C's `READ_ONCE` and `WRITE_ONCE`.
            unsafe {
                match *entry.operations.get() {
                    Operations::File(remove) => {
                        if phase == FILES && progress.read_volatile() == progress::NONE {
                            progress.write_volatile(progress::TAKEN);
                            look = Look::Taken(entry, *remove);
                            break;
                        }
                    }
                    Operations::Handler(group, steps) => {
                        if let Some(step) = steps.get(phase.wrapping_sub(*group as usize)) {
                            if progress.read_volatile() < phase as isize {
                                if step(entry) {
                                    progress.write_volatile(phase as isize);
                                } else {
                                    look = Look::Again;
                                }
                            }
                        }
                    }
                }
            }
            // SAFETY: As above; `next` is changed under the lock only.
            node = unsafe { (*node).next };
        }

        // SAFETY: Locked above.
        unsafe { hlist_bl_unlock(self.0.get()) };
        look
    }

    /// Ends everything in the list. Nothing can be added any more.
    ///
    /// Process context; sleeps.
    fn sweep(&self) {
        let mut phase = FILES;

        while phase < PHASES {
            match self.look(phase) {
                Look::Through => {
                    // Shutting a handler off is a store, and checking whether it is running is a
                    // load. Softirq code marks a tasklet as running, with a full barrier, and then
                    // checks whether it was shut off. With this barrier, at least one side sees the
                    // other's store.
                    smp_mb();
                    phase += 1;
                }
                Look::Again => sleep_a_tick(),
                Look::Taken(entry, remove) => {
                    // SAFETY: This thread has taken the file. `remove_file`, without which the
                    // entry does not go, waits until it is marked as gone. The function is from the
                    // operations of this very entry.
                    unsafe {
                        remove(&*entry);
                        // Release: see `remove_file`.
                        (*entry).progress.store(progress::GONE, ordering::Release);
                    }
                }
            }
        }
    }
}

/// Sleeps until the next timer tick, or slightly longer.
///
/// Process context.
#[cold]
#[inline(never)]
pub fn sleep_a_tick() {
    // SAFETY: May be called from process context.
    unsafe { bindings::schedule_timeout_uninterruptible(1) };
}

/// Declares that the caller may sleep, for kernels that check it. Does not reschedule.
#[inline(always)]
#[track_caller]
fn debug_might_sleep() {
    if cfg!(CONFIG_DEBUG_ATOMIC_SLEEP) {
        might_sleep();
    }
}

/// The values of [`STATE`].
mod state {
    /// The hook is not registered yet.
    pub(super) const NEW: i32 = 0;
    /// A thread is registering it.
    pub(super) const REGISTERING: i32 = 1;
    /// The hook is registered, and entries may be added.
    pub(super) const OPEN: i32 = 2;
    /// No entry may be added, for good. The hook may be registered.
    pub(super) const CLOSED: i32 = 3;
}

static STATE: Atomic<i32> = Atomic::new(if cfg!(MODULE) {
    state::NEW
} else {
    state::OPEN
});

#[inline(always)]
fn is_open() -> bool {
    // SAFETY: The word is initialised, and aligned. A volatile access is C's `READ_ONCE`. A relaxed
    // `Atomic::load` does the same, but calls a C function.
    (unsafe { STATE.as_ptr().read_volatile() }) == state::OPEN
}

/// Ensures that everything that is in the list when this module goes is ended.
///
/// [`Entry::add`] does this itself. This function is for code that the kernel may call before its
/// entry is added.
///
/// Process context; may sleep.
///
/// # Errors
///
/// `ENODEV` for good when the module is going or the notifier could not be registered.
#[inline]
#[track_caller]
pub fn prepare() -> Result {
    debug_might_sleep();

    if is_open() {
        Ok(())
    } else {
        hook::open()
    }
}

/// Built-in code is never freed.
#[cfg(not(MODULE))]
mod hook {
    use super::Result;

    pub(super) fn open() -> Result {
        Ok(())
    }
}

#[cfg(MODULE)]
mod hook {
    use super::*;
    use kernel::{ffi, module_param::KernelParam, str::as_char_ptr_in_const_context};

    struct Notifier(Opaque<bindings::notifier_block>);

    // SAFETY: The lock of the chain guards the fields that change.
    unsafe impl Sync for Notifier {}

    static NOTIFIER: Notifier = Notifier(Opaque::uninit());

    /// Registers the hook.
    #[cold]
    #[inline(never)]
    pub(super) fn open() -> Result {
        loop {
            match STATE.cmpxchg(state::NEW, state::REGISTERING, ordering::Full) {
                Ok(_) => break,
                // Another thread is registering it, and does not wait for this one.
                Err(state::REGISTERING) => sleep_a_tick(),
                Err(state::OPEN) => return Ok(()),
                Err(_) => return Err(ENODEV),
            }
        }

        // SAFETY: The block is static, and in no chain: only the thread that changed the state from
        // `NEW` gets here. `free`, or `unregister` below, takes it out before the module's memory
        // is freed.
        let error = unsafe {
            NOTIFIER.0.get().write(bindings::notifier_block {
                notifier_call: Some(notify),
                next: null_mut(),
                priority: ffi::c_int::MAX,
            });
            bindings::register_module_notifier(NOTIFIER.0.get())
        };

        // The kernel may have called the notifiers for this module already, without this one. It
        // sets the module's state before that. The chain has notifiers of the kernel's own, so the
        // kernel takes its lock: if after the registration, it finds this notifier; if before, this
        // code sees the state.
        smp_mb();
        // SAFETY: The structure lives as long as the module. The volatile read is C's `READ_ONCE`.
        let state = unsafe { (&raw const bindings::__this_module.state).read_volatile() };
        let stays = matches!(
            state,
            bindings::module_state_MODULE_STATE_LIVE | bindings::module_state_MODULE_STATE_COMING
        );
        let next = if error == 0 && stays {
            state::OPEN
        } else {
            state::CLOSED
        };

        // The notifier may have been called since, and may have closed the list.
        if STATE
            .cmpxchg(state::REGISTERING, next, ordering::Full)
            .is_ok()
            && next == state::OPEN
        {
            return Ok(());
        }

        // `free` may have been called before the registration. If the kernel holds the lock of the
        // chain to call the notifier, it does not wait for this thread: the entry that is being
        // added is idle.
        unregister();
        Err(ENODEV)
    }

    /// Takes the notifier out of the chain, if it is in it.
    ///
    /// Process context; may sleep. Not to be called while this thread walks the chain.
    #[cold]
    #[inline(never)]
    fn unregister() {
        // SAFETY: The block is static. For one that is not in the chain this does nothing.
        unsafe { bindings::unregister_module_notifier(NOTIFIER.0.get()) };
    }

    /// Closes the list and ends its entries, unless that has been done.
    fn close() {
        if STATE.xchg(state::CLOSED, ordering::Full) != state::CLOSED {
            LIST.sweep();
        }
    }

    /// The module notifier.
    ///
    /// # Safety
    ///
    /// The caller is the kernel's chain of module notifiers.
    unsafe extern "C" fn notify(
        _: *mut bindings::notifier_block,
        event: ffi::c_ulong,
        module: *mut ffi::c_void,
    ) -> ffi::c_int {
        if event == bindings::module_state_MODULE_STATE_GOING as ffi::c_ulong
            && module == (&raw mut bindings::__this_module).cast()
        {
            close();
        }
        0
    }

    /// Called when the kernel frees the module's parameters. Takes the notifier out of the chain,
    /// and does the notifier's work if it was not called.
    ///
    /// # Safety
    ///
    /// The caller is `module_destroy_params`.
    unsafe extern "C" fn free(_: *mut ffi::c_void) {
        close();
        unregister();
    }

    /// Rejects any attempt to set the placeholder parameter.
    ///
    /// # Safety
    ///
    /// None: it touches nothing. It is `unsafe` because its C type is.
    unsafe extern "C" fn refuse(
        _: *const ffi::c_char,
        _: *const bindings::kernel_param,
    ) -> ffi::c_int {
        EINVAL.to_errno()
    }

    static OPERATIONS: bindings::kernel_param_ops = bindings::kernel_param_ops {
        flags: 0,
        set: Some(refuse),
        get: None,
        free: Some(free),
    };

    /// A parameter that exists for its `free`: it has no value and no file in sysfs.
    #[link_section = "__param"]
    #[used(compiler)]
    static PARAMETER: KernelParam = KernelParam::new(bindings::kernel_param {
        name: as_char_ptr_in_const_context(c"unload"),
        mod_: &raw mut bindings::__this_module,
        ops: &raw const OPERATIONS,
        perm: 0,
        level: -1,
        flags: 0,
        __bindgen_anon_1: bindings::kernel_param__bindgen_ty_1 { arg: null_mut() },
    });
}
