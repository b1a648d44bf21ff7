// SPDX-License-Identifier: GPL-2.0

//! A driver that uses `tasklet_wrap.rs`: its tasklet counts its runs. The first is requested when
//! the driver is loaded; the tasklet requests the others itself.

#![allow(dead_code, unreachable_pub)]

mod tasklet_wrap;
mod unload;
mod versions;

use core::pin::Pin;
use kernel::prelude::*;
use tasklet_wrap::{Tasklet, TaskletContext, TaskletHandler};

module! {
    type: Driver,
    name: "driver",
    authors: ["The jitasklet authors"],
    description: "Uses a tasklet",
    license: "GPL",
}

const RUNS: u32 = 100;

struct Count;

impl TaskletHandler for Count {
    type State = u32;

    fn run(self: Pin<&Self>, runs: &mut u32, cx: &TaskletContext<'_>) {
        *runs += 1;
        if *runs < RUNS {
            cx.schedule();
        } else {
            pr_info!("ran {} times\n", *runs);
        }
    }
}

struct Driver {
    _tasklet: Pin<KBox<Tasklet<Count>>>,
}

impl kernel::Module for Driver {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let tasklet = KBox::pin_init(Tasklet::new(Count, 0), GFP_KERNEL)?;
        tasklet.schedule();
        Ok(Self { _tasklet: tasklet })
    }
}
