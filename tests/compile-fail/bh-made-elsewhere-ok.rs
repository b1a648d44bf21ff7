// SPDX-License-Identifier: GPL-2.0

//! A work item is not made where it could be leaked.

pub mod common;

use common::*;

pub fn case() -> Result {
    let _ = BhWork::<Nothing>::scope(BhQueue::Normal, Nothing, 0, |_| ());
    Ok(())
}
