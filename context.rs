// SPDX-License-Identifier: GPL-2.0

//! The context that code runs in: the time, the kind of context, the task and the CPU.
//!
//! The kernel crate has neither `in_interrupt()` nor a task's comm.
//!
//! C headers: [`include/linux/preempt.h`](srctree/include/linux/preempt.h),
//! [`include/linux/sched.h`](srctree/include/linux/sched.h),
//! [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h)

use kernel::{
    bindings,
    cpu::CpuId,
    ffi,
    prelude::*,
    str::CStr,
    task::{Pid, Task},
};

/// The size of a comm, with its terminating NUL.
const TASK_COMM_LEN: usize = bindings::TASK_COMM_LEN as usize;

/// `struct task_struct`. It is opaque here: depending on the kernel's configuration, rustc does not
/// consider its bindings FFI-safe.
type RawTask = ffi::c_void;

extern "C" {
    #[link_name = "rust_helper_in_interrupt"]
    fn in_interrupt() -> bool;
    #[link_name = "rust_helper_in_hardirq"]
    fn in_hardirq() -> bool;
    #[link_name = "rust_helper_in_serving_softirq"]
    fn in_serving_softirq() -> bool;

    #[link_name = "rust_helper_copy_task_comm"]
    fn copy_task_comm(buf: *mut [u8; TASK_COMM_LEN], tsk: *mut RawTask);
}

/// The kinds of context. A [`Context`] has only `in_interrupt()`, which is true in two of them and
/// in a thread that has disabled softirqs.
#[allow(dead_code, reason = "not all crates that have this file use it")]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Kind {
    /// A hard interrupt.
    Hardirq,
    /// A softirq, in whatever task it runs.
    Softirq,
    /// A thread.
    #[default]
    Thread,
}

#[allow(dead_code, reason = "not all crates that have this file use it")]
impl Kind {
    /// Returns the kind of the current context.
    ///
    /// May be called from any context.
    pub fn current() -> Self {
        // SAFETY: Both read the preempt count of the current CPU or task, which any context may.
        let (hardirq, softirq) = unsafe { (in_hardirq(), in_serving_softirq()) };

        match (hardirq, softirq) {
            (true, _) => Self::Hardirq,
            (false, true) => Self::Softirq,
            (false, false) => Self::Thread,
        }
    }
}

/// A context that [`Context::current`] has captured.
#[derive(Clone, Copy, Default, Zeroable)]
pub struct Context {
    /// `jiffies`: ticks since boot, `HZ` of them a second.
    pub jiffies: ffi::c_ulong,
    /// `in_interrupt()`: whether this was a hard interrupt, a softirq, or a region with softirqs
    /// disabled, as opposed to plain process context.
    pub in_interrupt: bool,
    /// `current->pid`, in the initial PID namespace: in an interrupt, that of the interrupted task.
    pub pid: Pid,
    /// The CPU. In process context the task may have moved to another one since.
    pub cpu: u32,
    comm: [u8; TASK_COMM_LEN],
}

impl Context {
    /// Captures the current context.
    ///
    /// May be called from any context. In process context the task may move to another CPU at any
    /// time, so `cpu` is where it was, not where it is.
    pub fn current() -> Self {
        let task = Task::current_raw();
        let mut comm = [0; TASK_COMM_LEN];

        // SAFETY:
        // - `comm` is valid for writes of `TASK_COMM_LEN` bytes.
        // - `current` is a valid task in any context, for as long as this code runs on it.
        unsafe { copy_task_comm(&raw mut comm, task.cast()) };

        Self {
            // SAFETY: `jiffies` is a word that any context may read at any time. The volatile read
            // is C's `READ_ONCE`, because the timer interrupt changes it concurrently.
            jiffies: unsafe { (&raw const bindings::jiffies).read_volatile() },
            // SAFETY: Reads the preempt count of the current CPU or task, which any context may.
            in_interrupt: unsafe { in_interrupt() },
            // SAFETY: `current` is valid, as above, and the pid of a task does not change.
            pid: unsafe { (*task).pid },
            cpu: CpuId::current().as_u32(),
            comm,
        }
    }

    /// The task's name, as the task set it: any bytes but NUL.
    pub fn comm(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.comm).unwrap_or_default()
    }
}
