// SPDX-License-Identifier: GPL-2.0

//! `/proc/jitasklet` and `/proc/jitasklethi`: where and when a tasklet runs.
//!
//! Each read schedules a tasklet that reschedules itself until it has run five times, and shows the
//! context of the reader and of each run, as LDD3 7.5 describes it.
//!
//! With the parameter `bh=1` there is also `/proc/jitbh`: the same for a BH work item, which
//! replaces tasklets.

#![expect(
    unreachable_pub,
    reason = "these files are written as parts of a larger crate"
)]

use core::pin::Pin;
use kernel::{prelude::*, seq_file::SeqFile};

// Private, so unused functions are dropped from the module (a large part of it).
#[expect(dead_code, reason = "library code; this module uses only part of it")]
mod bh_work;
mod completion;
mod context;
mod proc_files;
mod table;
#[expect(dead_code, reason = "library code; this module uses only part of it")]
mod tasklet_wrap;
mod unload;
mod versions;

use bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler};
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
    params: {
        bh: u8 {
            default: 0,
            description: "1: also make /proc/jitbh, which measures a BH work item (default: 0)",
        },
    },
}

/// The version that modinfo shows; `module!` has no field for it. See CHANGELOG.md.
#[link_section = ".modinfo"]
#[used(compiler)]
static VERSION: [u8; 14] = *b"version=1.0.0\0";

/// Number of runs per read, of the tasklet or the work item.
const RUNS: usize = 5;

/// The module: its files.
struct JitTasklet {
    _normal: ProcFile<Jit<false>>,
    _hi: ProcFile<Jit<true>>,
    _bh: Option<ProcFile<JitBh>>,
}

impl kernel::Module for JitTasklet {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let bh = match versions::parameter(&module_parameters::bh) {
            0 => false,
            1 => true,
            _ => return Err(EINVAL),
        };

        Ok(Self {
            _normal: ProcFile::new(c"jitasklet", 0o444)?,
            _hi: ProcFile::new(c"jitasklethi", 0o444)?,
            _bh: if bh {
                Some(ProcFile::new(c"jitbh", 0o444)?)
            } else {
                None
            },
        })
    }
}

/// One measurement.
#[pin_data]
struct Measurement {
    #[pin]
    done: Completion,
    /// Whether the tasklet has high priority.
    hi: bool,
}

/// The contexts that the runs of one tasklet or work item recorded.
#[derive(Zeroable)]
struct Runs {
    seen: [Context; RUNS],
    count: usize,
}

impl Runs {
    fn new() -> impl Init<Self> {
        pin_init::init_zeroed()
    }

    /// Records the context of a run. Returns whether it is the last one.
    #[inline]
    fn note(&mut self) -> bool {
        if let Some(seen) = self.seen.get_mut(self.count) {
            *seen = Context::current();
            self.count += 1;
        }

        self.count == RUNS
    }
}

impl TaskletHandler for Measurement {
    type State = Runs;

    fn run(self: Pin<&Self>, runs: &mut Runs, cx: &TaskletContext<'_>) {
        if runs.note() {
            self.done.complete();
        } else if self.hi {
            cx.hi_schedule();
        } else {
            cx.schedule();
        }
    }
}

impl BhWorkHandler for Measurement {
    type State = Runs;

    fn run(self: Pin<&Self>, runs: &mut Runs, cx: &BhWorkContext<'_>) {
        if runs.note() {
            self.done.complete();
        } else {
            cx.queue();
        }
    }
}

/// A file that shows one measurement per read, by a tasklet, of high priority if `HI`.
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

        let before = print_reader(m, &reader);
        print_runs(m, before, tasklet.as_mut().kill());
        Ok(())
    })?
}

/// A file that shows one measurement per read, by a BH work item.
struct JitBh;

impl Show for JitBh {
    fn show(m: &SeqFile) -> Result {
        let reader = Context::current();

        let measurement = pin_init!(Measurement {
            done <- Completion::new(),
            hi: false,
        });
        BhWork::scope(BhQueue::Normal, measurement, Runs::new(), |mut work| {
            work.queue();
            let done = &work.as_ref().handler().get_ref().done;
            done.wait_for_completion_interruptible()?;

            let before = print_reader(m, &reader);
            print_runs(m, before, work.as_mut().cancel());
            Ok(())
        })?
    }
}

/// Prints the header and the reader's row. Returns the jiffies of that row.
fn print_reader(m: &SeqFile, reader: &Context) -> usize {
    print(m, HEADER);
    print(m, Row::new(reader, reader.jiffies).as_bytes());
    reader.jiffies
}

/// Prints the rows of the runs. `before` is the jiffies value of the row before them.
fn print_runs(m: &SeqFile, mut before: usize, runs: &Runs) {
    for seen in runs.seen.iter().take(runs.count) {
        print(m, Row::new(seen, before).as_bytes());
        before = seen.jiffies;
    }
}
