// SPDX-License-Identifier: GPL-2.0

//! A work item is not made in a place from which it can be moved.
// error: E0277

pub mod common;

use common::*;

// ok: pub fn case() -> impl PinInit<BhWork<Nothing>, Error> {
pub fn case() -> impl Init<BhWork<Nothing>, Error> {
    BhWork::new(BhQueue::Normal, Nothing, 0)
}
