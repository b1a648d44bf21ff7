// SPDX-License-Identifier: GPL-2.0
/*
 * All helpers, in one translation unit, as the kernel has its own.
 */

#include <linux/compiler_types.h>

/*
 * Where they become bitcode (see Kbuild), LLVM has to inline them although they were compiled with
 * other options than the Rust code. In an object they are functions all the same.
 */
#define __rust_helper __always_inline

#include "bitops.c"
#include "list_bl.c"
#include "preempt.c"
#include "proc_fs.c"
#include "sched.c"
#include "tasklet.c"
#include "workqueue.c"
