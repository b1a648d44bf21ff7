// SPDX-License-Identifier: GPL-2.0
/*
 * helpers.c: the C functions that bench_rust.rs needs besides the wrapper's helpers.
 */

#include <linux/irqflags.h>

unsigned long bench_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

void bench_irq_restore(unsigned long flags)
{
	local_irq_restore(flags);
}
