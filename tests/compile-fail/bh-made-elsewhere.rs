// SPDX-License-Identifier: GPL-2.0

//! A work item is not made where it could be leaked.
// error: E0599

pub mod common;

use common::*;

pub fn case() -> Result {
    // ok: let _ = BhWork::<Nothing>::scope(BhQueue::Normal, Nothing, 0, |_| ());
    let _ = BhWork::<Nothing>::new(BhQueue::Normal, Nothing, 0);
    Ok(())
}
