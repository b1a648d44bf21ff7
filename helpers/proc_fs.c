// SPDX-License-Identifier: GPL-2.0

#include <linux/proc_fs.h>

__rust_helper struct proc_dir_entry *
rust_helper_proc_create_single_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
				    int (*show)(struct seq_file *, void *), void *data)
{
	return proc_create_single_data(name, mode, parent, show, data);
}

__rust_helper void rust_helper_proc_remove(struct proc_dir_entry *entry)
{
	proc_remove(entry);
}
