// SPDX-License-Identifier: GPL-2.0

//! A module of several files: Rust in two, C in two. It adds up numbers in C, and converts the
//! present time with an inline of C's.

use core::borrow::Borrow;
use kernel::prelude::*;

mod clock;

module! {
    type: Mixed,
    name: "mixed",
    authors: ["The jitasklet authors"],
    description: "Rust and C",
    license: "GPL",
    params: {
        up_to: u32 {
            default: 10,
            description: "Adds up the numbers from 1 to this (default: 10)",
        },
    },
}

extern "C" {
    /// Adds up the numbers from 1 to `up_to`: see `sum.c`.
    fn mixed_sum(up_to: u32) -> u64;
}

struct Mixed;

impl kernel::Module for Mixed {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // A reference up to Linux 7.2, and the value itself since 7.3.
        let up_to = *Borrow::<u32>::borrow(&module_parameters::up_to.value());
        // SAFETY: The function has no precondition.
        let sum = unsafe { mixed_sum(up_to) };
        pr_info!("the sum is {}, at {} ms\n", sum, clock::now_in_ms());
        Ok(Self)
    }
}
