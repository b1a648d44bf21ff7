// SPDX-License-Identifier: GPL-2.0

#include <linux/bitops.h>

__rust_helper bool rust_helper_test_and_set_bit(unsigned long nr, unsigned long *addr)
{
	return test_and_set_bit(nr, addr);
}

__rust_helper bool rust_helper_test_bit_acquire(unsigned long nr, const unsigned long *addr)
{
	return test_bit_acquire(nr, addr);
}
