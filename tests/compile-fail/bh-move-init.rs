// SPDX-License-Identifier: GPL-2.0

//! A work item is not made where it could be moved.
// error: E0277

pub mod common;

use common::*;

pub fn case() -> impl Init<BhWork<Nothing>, Error> {
    BhWork::new(BhQueue::Normal, Nothing, 0)
}
