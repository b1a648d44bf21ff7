// SPDX-License-Identifier: GPL-2.0

//! Formats the table without `core::fmt`, which costs three times as much as C's `printf` and would
//! be half of a small module.

use crate::context::Context;

/// The first line of the table.
pub const HEADER: &[u8] = b"   time   delta  inirq    pid   cpu command\n";

/// A row. It is written from its end to its beginning, because division yields the last digit of a
/// number first, and the padding is known only once all digits are.
///
/// 256 bytes: exactly what a `u8` can index, so no bounds checks. The longest row has fewer than
/// 140 bytes.
pub struct Row {
    bytes: [u8; 256],
    begin: u8,
}

impl Row {
    /// Formats a row as C's `"%9li  %3li     %i    %6i   %i   %s\n"` does. `before` is the jiffies
    /// value of the row before.
    pub fn new(seen: &Context, before: usize) -> Self {
        let mut row = Self {
            bytes: [b' '; 256],
            begin: 0,
        };

        row.push(b'\n');
        row.escaped(seen.comm().to_bytes());
        row.spaces(3);
        row.number(3, seen.cpu as isize, 0);
        row.number(4, seen.pid as isize, 6);
        row.number(5, isize::from(seen.in_interrupt), 0);
        row.number(2, seen.jiffies.wrapping_sub(before) as isize, 3);
        row.number(0, seen.jiffies as isize, 9);
        row
    }

    /// The text of the row.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.begin)..]
    }

    /// Prepends a byte.
    fn push(&mut self, byte: u8) {
        self.spaces(1);
        self.bytes[usize::from(self.begin)] = byte;
    }

    /// Prepends spaces, which the buffer is filled with from the start.
    fn spaces(&mut self, count: u8) {
        self.begin = self.begin.wrapping_sub(count);
    }

    /// Prepends a number as C's `%*li` formats it, and `gap` spaces before it.
    ///
    /// Not inlined: five copies would be a quarter of the module.
    #[inline(never)]
    fn number(&mut self, gap: u8, value: isize, width: u8) {
        let end = self.begin;
        let mut rest = value.unsigned_abs();

        loop {
            self.push(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.push(b'-');
        }
        let padding = width.saturating_sub(end.wrapping_sub(self.begin));
        self.spaces(gap.wrapping_add(padding));
    }

    /// Prepends a text that cannot break or forge a row: control characters and the backslash
    /// become a backslash and three octal digits, as in C's `seq_escape`.
    fn escaped(&mut self, text: &[u8]) {
        for &byte in text.iter().rev() {
            if byte < b' ' || byte == 0x7f || byte == b'\\' {
                self.push(b'0' + (byte & 7));
                self.push(b'0' + (byte >> 3 & 7));
                self.push(b'0' + (byte >> 6));
                self.push(b'\\');
            } else {
                self.push(byte);
            }
        }
    }
}
