// SPDX-License-Identifier: GPL-2.0

#include <linux/preempt.h>
/* On PREEMPT_RT in_interrupt() looks into current. */
#include <linux/sched.h>

__rust_helper bool rust_helper_in_interrupt(void)
{
	return in_interrupt();
}

__rust_helper bool rust_helper_in_hardirq(void)
{
	return in_hardirq();
}

__rust_helper bool rust_helper_in_serving_softirq(void)
{
	return in_serving_softirq();
}
