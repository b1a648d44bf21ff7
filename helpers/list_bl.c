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

/* One call from Rust instead of three. The lock is bit 0 of h->first: the last store clears it. */
__rust_helper void
rust_helper_hlist_bl_lock_add_unlock(struct hlist_bl_node *n, struct hlist_bl_head *h)
{
	struct hlist_bl_node *first;

	hlist_bl_lock(h);
	first = hlist_bl_first(h);
	n->next = first;
	if (first)
		first->pprev = &n->next;
	n->pprev = &h->first;
	/* Unlocks: orders the node before the head, as in __bit_spin_unlock(). */
	smp_store_release(&h->first, n);
	preempt_enable();
	__release(__bitlock(0, h));
}

/* The same for a node that is in the list. It is not marked as unhashed afterwards. */
__rust_helper void
rust_helper_hlist_bl_lock_del_unlock(struct hlist_bl_node *n, struct hlist_bl_head *h)
{
	struct hlist_bl_node **pprev;
	struct hlist_bl_node *next;

	hlist_bl_lock(h);
	next = n->next;
	pprev = n->pprev;
	if (next)
		next->pprev = pprev;
	if (pprev == &h->first) {
		/* Unlocks, as above. */
		smp_store_release(&h->first, next);
		preempt_enable();
		__release(__bitlock(0, h));
	} else {
		WRITE_ONCE(*pprev, next);
		hlist_bl_unlock(h);
	}
}
