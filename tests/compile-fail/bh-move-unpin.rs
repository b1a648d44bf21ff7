// SPDX-License-Identifier: GPL-2.0

//! A work item is not declared to be movable.
// error: E0119

pub mod common; // in this crate: Unpin is not

use common::*;

// ok: impl Unpin for Nothing {}
impl Unpin for BhWork<Nothing> {}
