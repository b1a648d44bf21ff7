// SPDX-License-Identifier: GPL-2.0

#include <linux/seq_file.h>

void rust_helper_seq_escape(struct seq_file *m, const char *s, const char *esc)
{
	seq_escape(m, s, esc);
}
