// SPDX-License-Identifier: GPL-2.0

//! The smallest module: it says that it is there.

use kernel::prelude::*;

module! {
    type: Minimal,
    name: "minimal",
    authors: ["The jitasklet authors"],
    description: "Says that it is there",
    license: "GPL",
}

struct Minimal;

impl kernel::Module for Minimal {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("hello\n");
        Ok(Self)
    }
}

impl Drop for Minimal {
    fn drop(&mut self) {
        pr_info!("goodbye\n");
    }
}
