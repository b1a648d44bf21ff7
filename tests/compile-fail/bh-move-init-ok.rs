// SPDX-License-Identifier: GPL-2.0

//! A work item is not made where it could be moved.

pub mod common;

use common::*;

pub fn case() -> impl PinInit<BhWork<Nothing>, Error> {
    BhWork::new(BhQueue::Normal, Nothing, 0)
}
