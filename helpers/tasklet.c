// SPDX-License-Identifier: GPL-2.0

#include <linux/interrupt.h>

/* Where tasklet_wrap.rs has these itself: on x86-64, where no sanitizer looks at bit operations. */
#if !IS_ENABLED(CONFIG_X86_64) || IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) || \
	IS_ENABLED(CONFIG_KMSAN)

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

void rust_helper_tasklet_enable(struct tasklet_struct *t)
{
	tasklet_enable(t);
}

#endif
