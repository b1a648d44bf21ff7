// SPDX-License-Identifier: GPL-2.0

//! Shared by all cases: the wrappers, and a handler that does nothing.

#[path = "../../bh_work.rs"]
pub mod bh_work;
#[path = "../../tasklet_wrap.rs"]
pub mod tasklet_wrap;
#[path = "../../unload.rs"]
pub mod unload;
#[path = "../../versions.rs"]
pub mod versions;

pub use bh_work::*;
pub use core::pin::Pin;
pub use kernel::prelude::*;
pub use tasklet_wrap::*;

/// A handler that does nothing.
pub struct Nothing;

impl TaskletHandler for Nothing {
    type State = u32;

    fn run(self: Pin<&Self>, _state: &mut u32, _cx: &TaskletContext<'_>) {}
}

impl BhWorkHandler for Nothing {
    type State = u32;

    fn run(self: Pin<&Self>, _state: &mut u32, _cx: &BhWorkContext<'_>) {}
}
