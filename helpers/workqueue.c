// SPDX-License-Identifier: GPL-2.0

#include <linux/workqueue.h>

__rust_helper void rust_helper_destroy_work_on_stack(struct work_struct *work)
{
	destroy_work_on_stack(work);
}
