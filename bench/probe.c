// SPDX-License-Identifier: GPL-2.0
/*
 * probe.c: measures a read of another module's file from outside: how long each run of a tasklet's
 * callback takes, and what the reader allocates meanwhile. It uses the kernel's tracepoints, so the
 * measured modules need no changes.
 *
 * Each read of /proc/bench_probe prints what happened since the previous one: the number of runs,
 * the nanoseconds that they took beyond what a callback that returns at once takes, and the bytes
 * that the reader of this file allocated. There may be one reader at a time.
 */

#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/tracepoint.h>
#include <trace/events/kmem.h>

static struct tracepoint *entry_tracepoint, *exit_tracepoint;
static struct proc_dir_entry *entry;

static struct {
	struct task_struct *reader;
	u64 began;
	u64 took;
	size_t bytes;
	u32 runs;
} seen;

/* The duration of a callback that returns at once: the time from one probe to the other. */
static u64 nothing;

static void at_entry(void *unused, struct tasklet_struct *t, void *func)
{
	seen.began = ktime_get_ns();
}

static void at_exit(void *unused, struct tasklet_struct *t, void *func)
{
	seen.took += ktime_get_ns() - seen.began;
	seen.runs++;
}

static void allocated(size_t bytes)
{
	if (current == seen.reader && !in_interrupt())
		seen.bytes += bytes;
}

static void at_kmalloc(void *unused, unsigned long site, const void *p, size_t wanted,
		       size_t got, gfp_t flags, int node)
{
	allocated(got);
}

static void at_cache_alloc(void *unused, unsigned long site, const void *p,
			   struct kmem_cache *cache, gfp_t flags, int node)
{
	allocated(kmem_cache_size(cache));
}

static int show(struct seq_file *m, void *unused)
{
	u64 least = seen.runs * nothing;

	seq_printf(m, "%u %llu %zu\n", seen.runs, max(seen.took, least) - least, seen.bytes);
	seen.reader = current;
	seen.runs = 0;
	seen.took = 0;
	seen.bytes = 0;
	return 0;
}

static void do_nothing(struct tasklet_struct *t)
{
}

static DECLARE_TASKLET(nothing_tasklet, do_nothing);

/* Takes the shortest of many runs, so one without an interrupt. */
static void measure_nothing(void)
{
	int i;

	nothing = U64_MAX;
	for (i = 0; i < 100; i++) {
		seen.took = 0;
		tasklet_schedule(&nothing_tasklet);
		tasklet_kill(&nothing_tasklet);
		nothing = min(nothing, seen.took);
	}
	seen.took = 0;
	seen.runs = 0;
}

static void find_tracepoint(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "tasklet_entry"))
		entry_tracepoint = tp;
	else if (!strcmp(tp->name, "tasklet_exit"))
		exit_tracepoint = tp;
}

static void unregister_probes(void)
{
	tracepoint_probe_unregister(entry_tracepoint, at_entry, NULL);
	tracepoint_probe_unregister(exit_tracepoint, at_exit, NULL);
	unregister_trace_kmalloc(at_kmalloc, NULL);
	unregister_trace_kmem_cache_alloc(at_cache_alloc, NULL);
	tracepoint_synchronize_unregister();
}

static int __init probe_init(void)
{
	int error;

	for_each_kernel_tracepoint(find_tracepoint, NULL);
	if (!entry_tracepoint || !exit_tracepoint)
		return -ENOENT;
	error = tracepoint_probe_register(entry_tracepoint, at_entry, NULL) ?:
		tracepoint_probe_register(exit_tracepoint, at_exit, NULL) ?:
		register_trace_kmalloc(at_kmalloc, NULL) ?:
		register_trace_kmem_cache_alloc(at_cache_alloc, NULL);
	if (!error) {
		measure_nothing();
		entry = proc_create_single("bench_probe", 0400, NULL, show);
		if (entry)
			return 0;
		error = -ENOMEM;
	}
	unregister_probes();
	return error;
}

static void __exit probe_exit(void)
{
	proc_remove(entry);
	unregister_probes();
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_DESCRIPTION("Measures tasklets and their readers from outside");
MODULE_LICENSE("GPL");
