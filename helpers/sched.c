// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>
#include <linux/string.h>

/* As get_task_comm(), which spends most of its time on looking for the end. */
__rust_helper void rust_helper_copy_task_comm(char (*buf)[TASK_COMM_LEN], struct task_struct *tsk)
{
	/* Another task may give it a new name meanwhile. Then this has some bytes of each. */
	data_race(memcpy(*buf, tsk->comm, TASK_COMM_LEN));
}
