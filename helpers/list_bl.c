// SPDX-License-Identifier: GPL-2.0

#include <linux/list_bl.h>

__rust_helper void rust_helper_hlist_bl_lock(struct hlist_bl_head *b)
{
	hlist_bl_lock(b);
}

__rust_helper void rust_helper_hlist_bl_unlock(struct hlist_bl_head *b)
{
	hlist_bl_unlock(b);
}

__rust_helper struct hlist_bl_node *rust_helper_hlist_bl_first(struct hlist_bl_head *h)
{
	return hlist_bl_first(h);
}

__rust_helper void rust_helper_hlist_bl_add_head(struct hlist_bl_node *n, struct hlist_bl_head *h)
{
	hlist_bl_add_head(n, h);
}

__rust_helper void rust_helper_hlist_bl_del_init(struct hlist_bl_node *n)
{
	hlist_bl_del_init(n);
}
