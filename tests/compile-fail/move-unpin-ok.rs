// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not declared to be movable.

pub mod common;

use common::*;

impl Unpin for Nothing {}
