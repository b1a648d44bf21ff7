// SPDX-License-Identifier: GPL-2.0

//! The time. `jiffies_to_msecs()` and `jiffies` cannot be called from Rust: see `helpers.c`.

extern "C" {
    fn rust_helper_now_in_ms() -> u32;
}

/// Returns the milliseconds since the boot, from jiffies.
pub(crate) fn now_in_ms() -> u32 {
    // SAFETY: The function has no precondition.
    unsafe { rust_helper_now_in_ms() }
}
