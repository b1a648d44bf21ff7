// SPDX-License-Identifier: GPL-2.0

//! A work item is not declared to be movable.

pub mod common;

use common::*;

impl Unpin for Nothing {}
