// SPDX-License-Identifier: GPL-2.0
/*
 * sum.c: a function in C.
 */

#include "sum.h"

u64 mixed_sum(u32 up_to)
{
	u64 sum = 0;
	u32 i;

	for (i = 1; i && i <= up_to; i++)
		sum += i;
	return sum;
}
