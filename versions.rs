// SPDX-License-Identifier: GPL-2.0

//! What differs between the kernels that this is built for. docs/versions.md has the list.

use core::borrow::Borrow;
use kernel::{bindings, module_param::ModuleParamAccess};

/// The value of a module parameter: C's `module_param()` of `<linux/moduleparam.h>`.
///
/// `value()` returns a reference up to Linux 7.2, and the value itself since 7.3.
#[allow(
    dead_code,
    reason = "not all crates that have this file have parameters"
)]
pub fn parameter<T: Copy>(parameter: &ModuleParamAccess<T>) -> T {
    *Borrow::<T>::borrow(&parameter.value())
}

/// A full barrier: C's `smp_mb()` of `<asm/barrier.h>`.
///
/// The kernel crate's takes an argument since Linux 7.3.
pub fn smp_mb() {
    // SAFETY: A barrier has no precondition: it accesses no memory, and orders what does.
    unsafe { bindings::smp_mb() }
}
