// SPDX-License-Identifier: GPL-2.0

//! `/proc/jitasklet` and `/proc/jitasklethi`: where and when a tasklet runs.
//!
//! Each read schedules a tasklet that reschedules itself until it has run five times, and shows the
//! context of the reader and of each run, as LDD3 7.5 describes it.

#![expect(
    unreachable_pub,
    reason = "these files could be parts of the kernel crate"
)]

use core::pin::Pin;
use kernel::{prelude::*, seq_file::SeqFile};

// Not `pub`, as the functions that nobody calls from elsewhere need not be there then: which is much
// of the module.
mod completion;
mod context;
mod proc_files;
mod table;
#[expect(dead_code, reason = "a driver uses of it what it needs")]
mod tasklet_wrap;

use completion::Completion;
use context::Context;
use proc_files::{print, ProcFile, Show};
use table::{Row, HEADER};
use tasklet_wrap::{Tasklet, TaskletContext, TaskletHandler};

module! {
    type: JitTasklet,
    name: "jitasklet",
    authors: ["The jitasklet authors"],
    description: "LDD3 7.5: the context that tasklets run in, in /proc/jitasklet and /proc/jitasklethi",
    license: "GPL",
}

/// How often the tasklet of one read runs.
const RUNS: usize = 5;

/// The module: its two files.
struct JitTasklet {
    _normal: ProcFile<Jit<false>>,
    _hi: ProcFile<Jit<true>>,
}

impl kernel::Module for JitTasklet {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _normal: ProcFile::new(c"jitasklet", 0o444)?,
            _hi: ProcFile::new(c"jitasklethi", 0o444)?,
        })
    }
}

/// One measurement.
#[pin_data]
struct Measurement {
    #[pin]
    done: Completion,
    /// Whether by a tasklet of high priority.
    hi: bool,
}

/// What the runs of one tasklet saw.
#[derive(Zeroable)]
struct Runs {
    seen: [Context; RUNS],
    count: usize,
}

impl Runs {
    fn new() -> impl Init<Self> {
        pin_init::init_zeroed()
    }
}

impl TaskletHandler for Measurement {
    type State = Runs;

    fn run(self: Pin<&Self>, runs: &mut Runs, cx: &TaskletContext<'_>) {
        if let Some(seen) = runs.seen.get_mut(runs.count) {
            *seen = Context::current();
            runs.count += 1;
        }

        if runs.count == RUNS {
            self.done.complete();
        } else if self.hi {
            cx.hi_schedule();
        } else {
            cx.schedule();
        }
    }
}

/// The file that shows one measurement for each read, by a tasklet of high priority if `HI`.
struct Jit<const HI: bool>;

impl<const HI: bool> Show for Jit<HI> {
    fn show(m: &SeqFile) -> Result {
        measure(m, HI)
    }
}

/// Measures, and prints the table.
fn measure(m: &SeqFile, hi: bool) -> Result {
    let reader = Context::current();

    let measurement = pin_init!(Measurement {
        done <- Completion::new(),
        hi,
    });
    Tasklet::scope(measurement, Runs::new(), |mut tasklet| {
        if hi {
            tasklet.hi_schedule();
        } else {
            tasklet.schedule();
        }
        let done = &tasklet.as_ref().handler().get_ref().done;
        done.wait_for_completion_interruptible()?;

        let mut before = reader.jiffies;
        print(m, HEADER);
        print(m, Row::new(&reader, before).as_bytes());
        let runs = tasklet.as_mut().kill();
        for seen in runs.seen.iter().take(runs.count) {
            print(m, Row::new(seen, before).as_bytes());
            before = seen.jiffies;
        }
        Ok(())
    })?
}
