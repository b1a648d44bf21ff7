// SPDX-License-Identifier: GPL-2.0

//! `/proc/jitasklet` and `/proc/jitasklethi`: where and when a tasklet runs.
//!
//! Each read schedules a tasklet that reschedules itself until it has run five times, and shows the
//! context of the reader and of each run, as LDD3 7.5 describes it.

use core::pin::Pin;
use kernel::{
    prelude::*,
    seq_file::{seq_print, SeqFile},
};

pub mod completion;
pub mod context;
pub mod proc_files;
pub mod tasklet_wrap;

use completion::Completion;
use context::Context;
use proc_files::{print_escaped, ProcFile, Show};
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

/// What would break a row or forge one: the control characters, and the backslash of the escapes.
const ESCAPED: &CStr = c"\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\
    \x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f\\";

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

/// One measurement, by a tasklet of high priority if `HI`.
#[pin_data]
struct Measurement<const HI: bool> {
    #[pin]
    done: Completion,
}

/// What the runs of one tasklet saw.
#[derive(Default)]
struct Runs {
    seen: [Context; RUNS],
    count: usize,
}

impl<const HI: bool> TaskletHandler for Measurement<HI> {
    type State = Runs;

    fn run(self: Pin<&Self>, runs: &mut Runs, cx: &TaskletContext<'_>) {
        if let Some(seen) = runs.seen.get_mut(runs.count) {
            *seen = Context::current();
            runs.count += 1;
        }

        if runs.count == RUNS {
            self.done.complete();
        } else if HI {
            cx.hi_schedule();
        } else {
            cx.schedule();
        }
    }
}

/// The file that shows one measurement for each read.
struct Jit<const HI: bool>;

impl<const HI: bool> Show for Jit<HI> {
    fn show(m: &SeqFile) -> Result {
        let reader = Context::current();

        let measurement = pin_init!(Measurement::<HI> { done <- Completion::new() });
        let runs = Tasklet::scope(measurement, Runs::default(), |mut tasklet| {
            if HI {
                tasklet.hi_schedule();
            } else {
                tasklet.schedule();
            }
            let done = &tasklet.as_ref().handler().get_ref().done;
            done.wait_for_completion_interruptible()?;

            Ok::<_, Error>(core::mem::take(tasklet.as_mut().kill()))
        })??;

        seq_print!(m, "   time   delta  inirq    pid   cpu command\n");
        print_row(m, &reader, reader.jiffies);
        let mut before = reader.jiffies;
        for run in &runs.seen {
            print_row(m, run, before);
            before = run.jiffies;
        }

        Ok(())
    }
}

/// Prints `row` as C's `"%9li  %3li     %i    %6i   %i   %s\n"`, `before` being the jiffies of the
/// row before.
fn print_row(m: &SeqFile, row: &Context, before: usize) {
    seq_print!(
        m,
        "{:>9}  {:>3}     {}    {:>6}   {}   ",
        row.jiffies as isize,
        row.jiffies.wrapping_sub(before) as isize,
        u8::from(row.in_interrupt),
        row.pid,
        row.cpu,
    );
    print_escaped(m, row.comm(), ESCAPED);
    seq_print!(m, "\n");
}
