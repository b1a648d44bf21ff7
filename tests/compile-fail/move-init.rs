// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not made in a place from which it can be moved.
// error: E0277

pub mod common;

use common::*;

// ok: pub fn case() -> impl PinInit<Tasklet<Nothing>, Error> {
pub fn case() -> impl Init<Tasklet<Nothing>, Error> {
    Tasklet::new(Nothing, 0)
}
