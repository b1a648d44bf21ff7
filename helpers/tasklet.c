// SPDX-License-Identifier: GPL-2.0

#include <linux/interrupt.h>

void rust_helper_tasklet_schedule(struct tasklet_struct *t)
{
	tasklet_schedule(t);
}

void rust_helper_tasklet_hi_schedule(struct tasklet_struct *t)
{
	tasklet_hi_schedule(t);
}

void rust_helper_tasklet_disable_nosync(struct tasklet_struct *t)
{
	tasklet_disable_nosync(t);
}

void rust_helper_tasklet_disable(struct tasklet_struct *t)
{
	tasklet_disable(t);
}

void rust_helper_tasklet_unlock_wait(struct tasklet_struct *t)
{
	tasklet_unlock_wait(t);
}

void rust_helper_tasklet_enable(struct tasklet_struct *t)
{
	tasklet_enable(t);
}
