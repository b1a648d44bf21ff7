// SPDX-License-Identifier: GPL-2.0

//! A work item is not declared to be movable.
// error: E0119

pub mod common; // in this crate: Unpin is not

use common::*;

impl Unpin for BhWork<Nothing> {}
