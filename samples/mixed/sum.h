/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SUM_H
#define SUM_H

#include <linux/types.h>

u64 mixed_sum(u32 up_to);

#endif
