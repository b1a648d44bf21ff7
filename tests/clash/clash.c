// SPDX-License-Identifier: GPL-2.0
/*
 * clash.c: takes a name in /proc, so that a module that wants it finds it taken.
 */

#include <linux/module.h>
#include <linux/proc_fs.h>

static char *name = "jitasklet";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "The name to take");

static struct proc_dir_entry *entry;

static int __init clash_init(void)
{
	entry = proc_mkdir(name, NULL);

	return entry ? 0 : -ENOMEM;
}

static void __exit clash_exit(void)
{
	proc_remove(entry);
}

module_init(clash_init);
module_exit(clash_exit);
MODULE_DESCRIPTION("Takes a name in /proc");
MODULE_LICENSE("GPL");
