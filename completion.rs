// SPDX-License-Identifier: GPL-2.0

//! A completion with an interruptible wait.
//!
//! `kernel::sync::Completion` can only be waited for uninterruptibly; a `read(2)` that waits must
//! respond to Ctrl-C.
//!
//! C header: [`include/linux/completion.h`](srctree/include/linux/completion.h)

use kernel::{bindings, error::to_result, prelude::*, types::Opaque};

/// One event that one task waits for.
///
/// # Invariants
///
/// `inner` is initialised by `init_completion` and stays at its address until it is dropped.
#[pin_data]
pub struct Completion {
    #[pin]
    inner: Opaque<bindings::completion>,
}

// SAFETY: A `struct completion` is bound to no task or CPU; its own lock guards its contents.
unsafe impl Send for Completion {}
// SAFETY: `complete` and `wait_for_completion_interruptible`, the only operations, take that lock.
unsafe impl Sync for Completion {}

impl Completion {
    /// Makes an incomplete completion.
    #[doc(alias = "init_completion")]
    pub fn new() -> impl PinInit<Self> {
        // INVARIANT: `ffi_init` runs `init_completion` on the pinned place.
        pin_init!(Self {
            inner <- Opaque::ffi_init(|slot: *mut bindings::completion| {
                // SAFETY: `slot` is valid for writes of a `struct completion`, and pinned.
                unsafe { bindings::init_completion(slot) }
            }),
        })
    }

    /// Wakes one waiter, or lets the next one pass without waiting.
    ///
    /// May be called from any context.
    #[inline]
    pub fn complete(&self) {
        // SAFETY: `inner` is an initialised completion by the type invariant.
        unsafe { bindings::complete(self.inner.get()) }
    }

    /// Waits until [`complete`](Self::complete) is called or a signal is pending.
    ///
    /// Process context; may sleep (and calls `might_sleep`).
    ///
    /// # Errors
    ///
    /// `ERESTARTSYS` when a signal came first: the system call then restarts or returns `EINTR`,
    /// depending on the signal's handler.
    #[inline]
    pub fn wait_for_completion_interruptible(&self) -> Result {
        // SAFETY: `inner` is an initialised completion by the type invariant.
        to_result(unsafe { bindings::wait_for_completion_interruptible(self.inner.get()) })
    }
}
