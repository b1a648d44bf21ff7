// SPDX-License-Identifier: GPL-2.0

//! Measures what tasklets cost in Rust, through `tasklet_wrap.rs`; the twin of `bench_c.c`.
//!
//! Each read of `/proc/bench_rust` does every kind of work once, in the reader's process context,
//! and prints a line for each: its name, how often it was done, and the nanoseconds that it took.

use core::pin::Pin;
use kernel::{
    prelude::*,
    seq_file::{seq_print, SeqFile},
    time::{Instant, Monotonic},
};

#[path = "../completion.rs"]
pub mod completion;
#[path = "../proc_files.rs"]
pub mod proc_files;
#[path = "../tasklet_wrap.rs"]
pub mod tasklet_wrap;
#[path = "../unload.rs"]
pub mod unload;
#[path = "../versions.rs"]
pub mod versions;

use completion::Completion;
use proc_files::{ProcFile, Show};
use tasklet_wrap::{Tasklet, TaskletContext, TaskletHandler};

module! {
    type: Bench,
    name: "bench_rust",
    authors: ["The jitasklet authors"],
    description: "What tasklets cost in Rust",
    license: "GPL",
}

extern "C" {
    fn bench_irq_save() -> usize;
    fn bench_irq_restore(flags: usize);
}

// As in bench_c.c. High enough that both get about the same number of timer ticks.
const RUNS: u32 = 20_000;
const TIMES: u32 = 100_000;
const LIVES: u32 = 20_000;

struct Bench {
    _file: ProcFile<Costs>,
}

impl kernel::Module for Bench {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _file: ProcFile::new(c"bench_rust", 0o444)?,
        })
    }
}

/// A tasklet that reschedules itself until it has run often enough, and does nothing else.
#[pin_data]
struct Again {
    #[pin]
    done: Completion,
}

impl TaskletHandler for Again {
    type State = u32;

    fn run(self: Pin<&Self>, left: &mut u32, cx: &TaskletContext<'_>) {
        *left = left.wrapping_sub(1);
        if *left != 0 {
            cx.schedule();
        } else {
            self.done.complete();
        }
    }
}

/// A tasklet that does nothing.
struct Idle;

impl TaskletHandler for Idle {
    type State = u32;

    fn run(self: Pin<&Self>, runs: &mut u32, _cx: &TaskletContext<'_>) {
        *runs = runs.wrapping_add(1);
    }
}

/// Returns the nanoseconds that `work` takes.
fn timed(work: impl FnOnce() -> Result) -> Result<i64> {
    let began = Instant::<Monotonic>::now();

    work()?;
    Ok(began.elapsed().as_nanos())
}

fn run_again() -> Result<i64> {
    let again = pin_init!(Again { done <- Completion::new() });

    Tasklet::scope(again, RUNS, |tasklet| {
        timed(|| {
            tasklet.schedule();
            let done = &tasklet.as_ref().handler().get_ref().done;
            done.wait_for_completion_interruptible()
        })
    })?
}

/// With interrupts disabled, so that a pending run stays pending.
fn schedule_scheduled() -> Result<i64> {
    Tasklet::scope(Idle, 0, |tasklet| {
        // SAFETY: Interrupts are restored below, and nothing sleeps meanwhile.
        let flags = unsafe { bench_irq_save() };
        tasklet.schedule();
        let took = timed(|| {
            for _ in 0..TIMES {
                tasklet.schedule();
            }
            Ok(())
        });
        // SAFETY: The flags are those from above.
        unsafe { bench_irq_restore(flags) };
        took
    })?
}

fn disable_enable() -> Result<i64> {
    Tasklet::scope(Idle, 0, |tasklet| {
        timed(|| {
            for _ in 0..TIMES {
                tasklet.disable().enable();
            }
            Ok(())
        })
    })?
}

fn init_kill() -> Result<i64> {
    timed(|| {
        for _ in 0..LIVES {
            Tasklet::scope(Idle, 0, |_| ())?;
        }
        Ok(())
    })
}

/// The same on the heap, where a driver's structure is.
fn init_kill_heap() -> Result<i64> {
    timed(|| {
        for _ in 0..LIVES {
            KBox::pin_init(Tasklet::new(Idle, 0), GFP_KERNEL)?;
        }
        Ok(())
    })
}

/// The allocation alone.
fn allocate() -> Result<i64> {
    timed(|| {
        for _ in 0..LIVES {
            KBox::<Tasklet<Idle>>::new_uninit(GFP_KERNEL)?;
        }
        Ok(())
    })
}

struct Costs;

impl Show for Costs {
    fn show(m: &SeqFile) -> Result {
        seq_print!(m, "a {} {}\n", RUNS, run_again()?);
        seq_print!(m, "b {} {}\n", TIMES, schedule_scheduled()?);
        seq_print!(m, "c {} {}\n", TIMES, disable_enable()?);
        seq_print!(m, "d {} {}\n", LIVES, init_kill()?);
        seq_print!(m, "d-heap {} {}\n", LIVES, init_kill_heap()?);
        seq_print!(m, "alloc {} {}\n", LIVES, allocate()?);
        Ok(())
    }
}
