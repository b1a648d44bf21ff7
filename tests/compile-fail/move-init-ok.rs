// SPDX-License-Identifier: GPL-2.0

//! A tasklet is not made where it could be moved.

pub mod common;

use common::*;

pub fn case() -> impl PinInit<Tasklet<Nothing>, Error> {
    Tasklet::new(Nothing, 0)
}
