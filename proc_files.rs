// SPDX-License-Identifier: GPL-2.0

//! A `/proc` file that only shows something.
//!
//! C headers: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h),
//! [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use core::{
    marker::PhantomData,
    ptr::{null, null_mut, NonNull},
};
use kernel::{
    bindings,
    error::from_result,
    ffi,
    module_param::KernelParam,
    prelude::*,
    seq_file::SeqFile,
    str::{as_char_ptr_in_const_context, CStr},
    sync::atomic::{ordering::Full, Atomic},
};

/// `struct seq_file`, whose layout is of no interest here and which, depending on the kernel's
/// configuration, rustc does not take for FFI-safe.
type RawSeqFile = ffi::c_void;

/// The type of C's `show` of a single-shot `seq_file`.
type RawShow = unsafe extern "C" fn(*mut RawSeqFile, *mut ffi::c_void) -> ffi::c_int;

extern "C" {
    #[link_name = "rust_helper_proc_create_single"]
    fn proc_create_single(
        name: *const ffi::c_char,
        mode: bindings::umode_t,
        parent: *mut bindings::proc_dir_entry,
        show: RawShow,
    ) -> *mut bindings::proc_dir_entry;

    #[link_name = "rust_helper_proc_remove"]
    fn proc_remove(entry: *mut bindings::proc_dir_entry);
}

/// What a [`ProcFile`] shows.
pub trait Show: 'static {
    /// Prints the whole file into `m`.
    ///
    /// Called in the process context of a reader, by any number of readers at once. It may sleep,
    /// but only interruptibly or for a bounded time: who removes the file waits for it.
    ///
    /// It is called once for a reader that reads the file from its beginning to its end, in steps
    /// of whatever size, as long as it prints less than a page; and again after a seek.
    ///
    /// # Errors
    ///
    /// What `read(2)` returns. `ERESTARTSYS` is for a wait that a signal ended.
    fn show(m: &SeqFile) -> Result;
}

/// A file directly below `/proc` that shows what `T` prints, from its creation to its drop.
///
/// Dropping it may sleep: it shuts out new readers and waits for those inside [`Show::show`]. A
/// file that is still open then stays open, and every further read of it fails. So no reader needs
/// a reference to the module, and none runs code of a module that is gone.
///
/// It must not be dropped from its own `show`, which would wait for itself. A file that is leaked is
/// removed when the kernel frees the module.
///
/// # Invariants
///
/// `entry` came from `proc_create_single`, is in `ENTRIES`, and `proc_remove` was not called on it.
pub struct ProcFile<T: Show> {
    entry: NonNull<bindings::proc_dir_entry>,
    _show: PhantomData<fn() -> T>,
}

// SAFETY: procfs lets any task remove an entry.
unsafe impl<T: Show> Send for ProcFile<T> {}
// SAFETY: There is nothing that can be done with a shared reference.
unsafe impl<T: Show> Sync for ProcFile<T> {}

impl<T: Show> ProcFile<T> {
    /// Creates `/proc/NAME` with the permission bits `mode`.
    ///
    /// Process context; may sleep.
    ///
    /// # Errors
    ///
    /// - `ENOMEM` when there is no memory or the name is taken: procfs does not tell which, but warns
    ///   in the kernel log about a name that is taken.
    /// - `ENOSPC` when this module has [`MAX_FILES`] files already.
    #[doc(alias = "proc_create_single")]
    pub fn new(name: &CStr, mode: bindings::umode_t) -> Result<Self> {
        // SAFETY: `show::<T>` keeps to C's contract, and is code of this module.
        let entry = unsafe { create(name, mode, show::<T>) }?;

        // INVARIANT: `entry` was just created, and is in `ENTRIES`.
        Ok(Self {
            entry,
            _show: PhantomData,
        })
    }
}

impl<T: Show> Drop for ProcFile<T> {
    fn drop(&mut self) {
        replace(self.entry.as_ptr().cast(), null());
        // SAFETY: By the type invariant the entry exists, and `drop` runs once.
        unsafe { proc_remove(self.entry.as_ptr()) }
    }
}

/// The part of [`ProcFile::new`] that is the same for all files, and there once.
///
/// # Safety
///
/// `show` keeps to C's contract for the `show` of a single-shot `seq_file`, and is code of this
/// module or of the kernel.
unsafe fn create(
    name: &CStr,
    mode: bindings::umode_t,
    show: RawShow,
) -> Result<NonNull<bindings::proc_dir_entry>> {
    // SAFETY:
    // - `name` is a C string, which procfs copies.
    // - The parent NULL is `/proc` itself.
    // - `show` keeps to C's contract, as the caller promises, and stays loaded: the drop or, at the
    //   latest, `remove_leaked` has called `proc_remove`, which waits for it, before the module goes.
    let entry = unsafe { proc_create_single(name.as_char_ptr(), mode, null_mut(), show) };
    let entry = NonNull::new(entry).ok_or(ENOMEM)?;

    if !replace(null(), entry.as_ptr().cast()) {
        // SAFETY: The entry was just created, and nobody else knows it.
        unsafe { proc_remove(entry.as_ptr()) };
        return Err(ENOSPC);
    }
    Ok(entry)
}

/// How many files a module can have at a time.
pub const MAX_FILES: usize = 8;

/// The entries of the files that there are, and null pointers.
///
/// Leaking a file is safe, and leaves an entry behind whose `show` goes when the module goes. So the
/// last word is the kernel's: when it frees the module it calls [`remove_leaked`].
static ENTRIES: [Atomic<*const ffi::c_void>; MAX_FILES] =
    [const { Atomic::new(null()) }; MAX_FILES];

/// Puts `new` where `old` is, if it is there.
#[inline(never)]
fn replace(old: *const ffi::c_void, new: *const ffi::c_void) -> bool {
    ENTRIES
        .iter()
        .any(|slot| slot.cmpxchg(old, new, Full).is_ok())
}

/// Removes every file that was leaked.
///
/// # Safety
///
/// No code of this module runs, or will run, other than the `show` of its files.
unsafe extern "C" fn remove_leaked(_: *mut ffi::c_void) {
    for slot in &ENTRIES {
        let entry = slot.xchg(null(), Full);
        // SAFETY: By the invariant of `ProcFile` the entry exists, and its `ProcFile` was leaked.
        // `proc_remove` takes a null pointer for nothing.
        unsafe { proc_remove(entry.cast_mut().cast()) };
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
    free: Some(remove_leaked),
};

/// Has the kernel call [`remove_leaked`] when it frees this module: `free_module()` frees the
/// parameters of a module after its exit or failed init function, and before its memory.
#[cfg(MODULE)]
#[link_section = "__param"]
#[used(compiler)]
static AT_MODULE_FREE: KernelParam = KernelParam::new(bindings::kernel_param {
    name: as_char_ptr_in_const_context(c"proc_files"),
    mod_: &raw mut bindings::__this_module,
    ops: &raw const AT_MODULE_FREE_OPS,
    perm: 0,
    level: -1,
    flags: 0,
    __bindgen_anon_1: bindings::kernel_param__bindgen_ty_1 { arg: null_mut() },
});

/// Hands a reader's call on to `T`.
///
/// # Safety
///
/// `m` points to a `seq_file` that only the caller uses during the call.
unsafe extern "C" fn show<T: Show>(m: *mut RawSeqFile, _: *mut ffi::c_void) -> ffi::c_int {
    // SAFETY: The caller promises just this.
    let m = unsafe { SeqFile::from_raw(m.cast()) };

    from_result(|| T::show(m).map(|()| 0))
}

/// Prints `bytes` as they are.
///
/// Process context, in [`Show::show`].
#[doc(alias = "seq_write")]
pub fn print(m: &SeqFile, bytes: &[u8]) {
    let m = core::ptr::from_ref(m).cast_mut().cast();

    // SAFETY:
    // - `SeqFile` is a transparent wrapper of `struct seq_file`, whose contents are inside an
    //   `UnsafeCell`, and which only this task uses: `SeqFile` is neither `Send` nor `Sync`.
    // - `bytes` is valid for reads of its length.
    //
    // What does not fit marks the file as overflowed, and `show` is called again with more room.
    unsafe { bindings::seq_write(m, bytes.as_ptr().cast(), bytes.len()) };
}
