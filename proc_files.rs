// SPDX-License-Identifier: GPL-2.0

//! A read-only `/proc` file, backed by a single-shot `seq_file`.
//!
//! C headers: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h),
//! [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use core::{marker::PhantomData, ptr::null_mut};
use kernel::{
    bindings, container_of, error::from_result, ffi, prelude::*, seq_file::SeqFile, str::CStr,
};

use super::unload::{self, Entry, Operations};

/// The type of C's `show` of a single-shot `seq_file`.
type RawShow = unsafe extern "C" fn(*mut bindings::seq_file, *mut ffi::c_void) -> ffi::c_int;

#[allow(
    improper_ctypes,
    reason = "depending on the configuration, rustc objects to what a `seq_file` points to"
)]
extern "C" {
    #[link_name = "rust_helper_proc_create_single_data"]
    fn proc_create_single_data(
        name: *const ffi::c_char,
        mode: bindings::umode_t,
        parent: *mut bindings::proc_dir_entry,
        show: RawShow,
        data: *mut ffi::c_void,
    ) -> *mut bindings::proc_dir_entry;

    #[link_name = "rust_helper_proc_remove"]
    fn proc_remove(entry: *mut bindings::proc_dir_entry);
}

/// What a [`ProcFile`] shows.
pub trait Show: 'static {
    /// Prints the whole file into `m`.
    ///
    /// Called in the process context of a reader, by any number of readers at once. It may sleep,
    /// but only interruptibly or for a bounded time: removing the file waits for it.
    ///
    /// It is called once for a reader that reads the file from beginning to end, in steps of any
    /// size, as long as it prints less than a page; and again after a seek.
    ///
    /// # Errors
    ///
    /// What `read(2)` returns. `ERESTARTSYS` is for a wait that a signal ended.
    fn show(m: &SeqFile) -> Result;
}

/// What a [`DataFile`] shows.
#[allow(dead_code, reason = "not all crates that have this file need it")]
pub trait ShowData: Send + Sync + 'static {
    /// Prints the whole file into `m`, as [`Show::show`]. `self` is what the file was made with.
    ///
    /// # Errors
    ///
    /// As for [`Show::show`].
    fn show(&self, m: &SeqFile) -> Result;
}

/// A file directly below `/proc` that shows what `T` prints, from its creation to its drop.
///
/// Dropping it may sleep: it shuts out new readers and waits for those inside [`Show::show`]. A
/// file that is still open then stays open, and every further read of it fails. So readers need no
/// reference to the module, and none runs code of an unloaded module.
///
/// It must not be dropped from its own `show`, which would wait for itself. A leaked file is
/// removed before the module's code is freed: see `unload.rs`.
pub struct ProcFile<T: Show> {
    _file: Owner,
    _show: PhantomData<fn() -> T>,
}

impl<T: Show> ProcFile<T> {
    /// Creates `/proc/NAME` with the permission bits `mode`.
    ///
    /// Process context; may sleep.
    ///
    /// # Errors
    ///
    /// - `ENOMEM` when there is no memory or the name is taken: procfs does not tell which, but
    ///   logs a warning if the name is taken.
    /// - `ENODEV` when the module is going.
    #[doc(alias = "proc_create_single")]
    pub fn new(name: &CStr, mode: bindings::umode_t) -> Result<Self> {
        // SAFETY: `show::<T>` keeps to C's contract, and is code of the module that this file is
        // part of. It uses no data.
        let file = unsafe { File::new(name, mode, show::<T>, null_mut()) }?;

        Ok(Self {
            _file: Owner(Some(file)),
            _show: PhantomData,
        })
    }
}

/// As [`ProcFile`], for a file with data of its own: one of several of the same kind.
///
/// # Invariants
///
/// While the file exists, it refers to `data`, which stays at its address.
#[allow(dead_code, reason = "not all crates that have this file need it")]
pub struct DataFile<T: ShowData> {
    // Dropped first: that waits for the readers, who use the data.
    _file: Owner,
    data: Pin<KBox<T>>,
}

#[allow(dead_code, reason = "not all crates that have this file need it")]
impl<T: ShowData> DataFile<T> {
    /// Creates `/proc/NAME` with the permission bits `mode`, which shows `data`.
    ///
    /// Process context; may sleep.
    ///
    /// # Errors
    ///
    /// As for [`ProcFile::new`].
    #[doc(alias = "proc_create_single_data")]
    pub fn new(name: &CStr, mode: bindings::umode_t, data: T) -> Result<Self> {
        let data = KBox::pin(data, GFP_KERNEL)?;
        let raw = core::ptr::from_ref(&*data).cast_mut().cast();
        // SAFETY: `show_data::<T>` keeps to C's contract, and is code of the module that this file
        // is part of. Its data is a `T`, which may be shared between threads, and which is dropped
        // after the file was removed. If the file is leaked, so is the data.
        let file = unsafe { File::new(name, mode, show_data::<T>, raw) }?;

        // INVARIANT: The file was made with the address of `data`, which is pinned.
        Ok(Self {
            _file: Owner(Some(file)),
            data,
        })
    }

    /// What the file was made with.
    pub fn data(&self) -> &T {
        &self.data
    }
}

/// Removes a file when it is dropped. It is `Some` until then.
struct Owner(Option<Pin<KBox<File>>>);

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            File::remove(file);
        }
    }
}

/// The part of a file that is the same for all files. It has an address of its own, as it is in a
/// list.
///
/// # Invariants
///
/// `file` came from `proc_create_single_data`, and exists. It is removed once: by [`File::remove`],
/// with which a file ends unless it is leaked, or by the end of the module. `entry` tells which.
#[pin_data]
struct File {
    #[pin]
    entry: Entry,
    file: *mut bindings::proc_dir_entry,
}

// SAFETY: procfs lets any task remove a file.
unsafe impl Send for File {}
// SAFETY: Nothing can be done with a shared reference but to read `file`, which does not change.
unsafe impl Sync for File {}

const OPERATIONS: Operations = Operations::File(File::remove_leaked);

impl File {
    /// # Safety
    ///
    /// `show` keeps to C's contract for the `show` of a single-shot `seq_file` with `data` as its
    /// private data, until the file is removed, and is code of this module or of the kernel.
    unsafe fn new(
        name: &CStr,
        mode: bindings::umode_t,
        show: RawShow,
        data: *mut ffi::c_void,
    ) -> Result<Pin<KBox<Self>>> {
        // Readers may call `show` before the file is in the list, and may leak files and tasklets.
        unload::prepare()?;

        // The memory is allocated before the file is created: the initialiser runs last, and
        // nothing fails after it has created the file.
        //
        // INVARIANT: `file` was just created, and is not in the list yet.
        let file = KBox::try_pin_init(
            try_pin_init!(Self {
                // SAFETY: The caller promises what `create` asks for.
                file: unsafe { create(name, mode, show, data) }?,
                entry: Entry::unlisted(),
            }? Error),
            GFP_KERNEL,
        )?;

        // SAFETY: The entry is pinned, and `File::remove` takes it out of the list before the
        // memory goes. The operations are those of a file.
        match unsafe { file.entry.add(&OPERATIONS) } {
            Ok(()) => Ok(file),
            Err(error) => {
                File::remove(file);
                Err(error)
            }
        }
    }

    /// Removes the file, or waits until the end of the module has removed it.
    #[inline(never)]
    fn remove(file: Pin<KBox<Self>>) {
        // SAFETY: `new` has added the entry, and this, which takes the file, alone removes it.
        if unsafe { file.entry.remove_file() } {
            // SAFETY: By the type invariant the file exists, and nobody else removes it.
            unsafe { proc_remove(file.file) };
        }
    }

    /// Removes a file that was leaked.
    ///
    /// # Safety
    ///
    /// As for [`Remove`](unload::Remove).
    #[inline]
    unsafe fn remove_leaked(entry: &Entry) {
        // SAFETY: Only entries of files are added with these operations.
        let file = unsafe { &*container_of!(core::ptr::from_ref(entry), File, entry) };

        // SAFETY: By the type invariant the file exists. This is called once, and the drop waits
        // for it and does not do it again.
        unsafe { proc_remove(file.file) };
    }
}

/// Creates `/proc/NAME`.
///
/// # Safety
///
/// As for `File::new`.
unsafe fn create(
    name: &CStr,
    mode: bindings::umode_t,
    show: RawShow,
    data: *mut ffi::c_void,
) -> Result<*mut bindings::proc_dir_entry> {
    // SAFETY:
    // - `name` is a C string, which procfs copies.
    // - The parent NULL is `/proc` itself.
    // - `show` keeps to C's contract, as the caller promises, and stays loaded: the drop or, if the
    //   file is leaked, the end of the module calls `proc_remove`, which waits for it, before the
    //   code goes.
    let file = unsafe { proc_create_single_data(name.as_char_ptr(), mode, null_mut(), show, data) };

    if file.is_null() {
        return Err(ENOMEM);
    }
    Ok(file)
}

/// Forwards a reader's call to `T`.
///
/// # Safety
///
/// `m` points to a `seq_file` that only the caller uses during the call.
#[allow(
    improper_ctypes_definitions,
    reason = "as for `proc_create_single_data`, whose files call this"
)]
unsafe extern "C" fn show<T: Show>(m: *mut bindings::seq_file, _: *mut ffi::c_void) -> ffi::c_int {
    // SAFETY: The caller promises exactly this.
    let m = unsafe { SeqFile::from_raw(m) };

    from_result(|| T::show(m).map(|()| 0))
}

/// As [`show`], for a file with data.
///
/// # Safety
///
/// As for [`show`]; and the private data of the `seq_file` points to a `T` that lives, and is only
/// shared, until this returns.
#[allow(
    improper_ctypes_definitions,
    reason = "as for `proc_create_single_data`, whose files call this"
)]
#[allow(dead_code, reason = "not all crates that have this file need it")]
unsafe extern "C" fn show_data<T: ShowData>(
    m: *mut bindings::seq_file,
    _: *mut ffi::c_void,
) -> ffi::c_int {
    // SAFETY: The caller promises exactly this.
    let (m, data) = unsafe { (SeqFile::from_raw(m), &*(*m).private.cast::<T>()) };

    from_result(|| data.show(m).map(|()| 0))
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
