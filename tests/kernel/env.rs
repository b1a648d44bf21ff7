// SPDX-License-Identifier: GPL-2.0

//! The environment of the tests: the online CPUs, pinning to a CPU, running code on another one,
//! and the current context.

use core::marker::PhantomData;
use kernel::{
    error::to_result,
    ffi::{c_int, c_uint, c_void},
    prelude::*,
    types::NotThreadSafe,
};

extern "C" {
    fn test_in_serving_softirq() -> bool;
    fn test_in_hardirq() -> bool;
    fn test_irqs_disabled() -> bool;
    fn test_next_cpu(cpu: c_int) -> c_uint;
    fn test_pin(cpu: c_int) -> c_int;
    fn test_on_cpu(cpu: c_uint, run: unsafe extern "C" fn(*mut c_void), arg: *mut c_void);
    fn test_on_every_cpu(run: unsafe extern "C" fn(*mut c_void), arg: *mut c_void) -> c_int;
    fn test_remove_cpu(cpu: c_uint) -> c_int;
    fn test_add_cpu(cpu: c_uint) -> c_int;
}

/// `in_serving_softirq()`.
pub(crate) fn in_serving_softirq() -> bool {
    // SAFETY: May be called in any context.
    unsafe { test_in_serving_softirq() }
}

/// `in_hardirq()`.
pub(crate) fn in_hardirq() -> bool {
    // SAFETY: May be called in any context.
    unsafe { test_in_hardirq() }
}

/// `irqs_disabled()`.
pub(crate) fn irqs_disabled() -> bool {
    // SAFETY: May be called in any context.
    unsafe { test_irqs_disabled() }
}

/// The CPUs that are online.
pub(crate) fn online_cpus() -> impl Iterator<Item = u32> + Clone {
    let next = |cpu: c_int| {
        // SAFETY: Reads a mask of CPUs.
        let cpu = unsafe { test_next_cpu(cpu) };
        (cpu < crate::nr_cpu_ids()).then_some(cpu)
    };

    core::iter::successors(next(-1), move |&cpu| next(cpu as c_int))
}

/// A guard that keeps the current task on one CPU.
pub(crate) struct Pinned(PhantomData<NotThreadSafe>);

impl Pinned {
    pub(crate) fn to(cpu: u32) -> Self {
        // SAFETY: Affects the current task only.
        unsafe { test_pin(cpu as c_int) };
        Self(PhantomData)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: Affects the current task only.
        unsafe { test_pin(-1) };
    }
}

/// A guard that keeps a CPU offline.
pub(crate) struct Offline(u32);

impl Offline {
    /// Takes the CPU offline. May sleep. Fails if the CPU cannot be unplugged.
    pub(crate) fn take(cpu: u32) -> Result<Self> {
        // SAFETY: Process context. The kernel returns an error if this CPU cannot be unplugged.
        to_result(unsafe { test_remove_cpu(cpu) })?;
        Ok(Self(cpu))
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        // SAFETY: Process context. If the CPU stays offline, the next test that needs it fails.
        unsafe { test_add_cpu(self.0) };
    }
}

/// Calls `f` on `cpu` in a hard interrupt, and waits for it. May sleep.
pub(crate) fn on_cpu<R, F: Fn() -> R + Sync>(cpu: u32, f: F) {
    // SAFETY: `call` gets a pointer to `f`, which lives until the call has returned.
    unsafe { test_on_cpu(cpu, call::<R, F>, core::ptr::from_ref(&f).cast_mut().cast()) };
}

/// Calls `f` on all CPUs at once, on each in a thread of its own, and waits for all.
pub(crate) fn on_every_cpu<F: Fn() + Sync>(f: F) -> Result {
    // SAFETY: `call` gets a pointer to `f`, which lives until the last call has returned.
    to_result(unsafe {
        test_on_every_cpu(call::<(), F>, core::ptr::from_ref(&f).cast_mut().cast())
    })
}

/// # Safety
///
/// `f` points to an `F` that lives until the end of the call.
unsafe extern "C" fn call<R, F: Fn() -> R + Sync>(f: *mut c_void) {
    // SAFETY: The caller guarantees this.
    unsafe { (*f.cast::<F>())() };
}
