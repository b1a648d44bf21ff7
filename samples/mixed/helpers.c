// SPDX-License-Identifier: GPL-2.0
/*
 * helpers.c: inlines and macros that Rust cannot call.
 */

#include <linux/jiffies.h>

unsigned int rust_helper_now_in_ms(void)
{
	return jiffies_to_msecs(jiffies - INITIAL_JIFFIES);
}
