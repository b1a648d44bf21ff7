// SPDX-License-Identifier: GPL-2.0
/*
 * bench_c.c: measures what tasklets cost in C; the twin of bench_rust.rs.
 *
 * Each read of /proc/bench_c does every kind of work once, in the reader's process context, and
 * prints a line for each: its name, how often it was done, and the nanoseconds that it took.
 */

#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

/* As in bench_rust.rs. High enough that both get about the same number of timer ticks. */
#define RUNS	20000
#define TIMES	100000
#define LIVES	20000

/* A tasklet that reschedules itself until it has run often enough, and does nothing else. */
struct again {
	struct tasklet_struct tasklet;
	struct completion done;
	u32 left;
};

static void again_run(struct tasklet_struct *t)
{
	struct again *again = from_tasklet(again, t, tasklet);

	if (--again->left)
		tasklet_schedule(&again->tasklet);
	else
		complete(&again->done);
}

/* A tasklet that does nothing. */
struct idle {
	struct tasklet_struct tasklet;
	u32 runs;
};

static void idle_run(struct tasklet_struct *t)
{
	struct idle *idle = from_tasklet(idle, t, tasklet);

	idle->runs++;
}

static int run_again(struct seq_file *m)
{
	struct again again = { .left = RUNS };
	u64 began, took;
	int error;

	init_completion(&again.done);
	tasklet_setup(&again.tasklet, again_run);

	began = ktime_get_ns();
	tasklet_schedule(&again.tasklet);
	error = wait_for_completion_interruptible(&again.done);
	took = ktime_get_ns() - began;

	/* tasklet_kill() waits for one that reschedules itself; this one stops after RUNS runs. */
	tasklet_kill(&again.tasklet);
	if (error)
		return error;
	seq_printf(m, "a %u %llu\n", RUNS, took);
	return 0;
}

/* With interrupts disabled, so that a pending run stays pending. */
static void schedule_scheduled(struct seq_file *m)
{
	struct idle idle = { };
	unsigned long flags;
	u64 began, took;
	u32 i;

	tasklet_setup(&idle.tasklet, idle_run);
	local_irq_save(flags);
	tasklet_schedule(&idle.tasklet);
	began = ktime_get_ns();
	for (i = 0; i < TIMES; i++)
		tasklet_schedule(&idle.tasklet);
	took = ktime_get_ns() - began;
	local_irq_restore(flags);
	tasklet_kill(&idle.tasklet);
	seq_printf(m, "b %u %llu\n", TIMES, took);
}

static void disable_enable(struct seq_file *m)
{
	struct idle idle = { };
	u64 began, took;
	u32 i;

	tasklet_setup(&idle.tasklet, idle_run);
	began = ktime_get_ns();
	for (i = 0; i < TIMES; i++) {
		tasklet_disable(&idle.tasklet);
		tasklet_enable(&idle.tasklet);
	}
	took = ktime_get_ns() - began;
	tasklet_kill(&idle.tasklet);
	seq_printf(m, "c %u %llu\n", TIMES, took);
}

static void init_kill(struct seq_file *m)
{
	struct idle idle;
	u64 began, took;
	u32 i;

	began = ktime_get_ns();
	for (i = 0; i < LIVES; i++) {
		idle.runs = 0;
		tasklet_setup(&idle.tasklet, idle_run);
		tasklet_kill(&idle.tasklet);
	}
	took = ktime_get_ns() - began;
	seq_printf(m, "d %u %llu\n", LIVES, took);
}

/* The same on the heap, where a driver's structure is. */
static int init_kill_heap(struct seq_file *m)
{
	struct idle *idle;
	u64 began, took;
	u32 i;

	began = ktime_get_ns();
	for (i = 0; i < LIVES; i++) {
		idle = kmalloc_obj(*idle);
		if (!idle)
			return -ENOMEM;
		idle->runs = 0;
		tasklet_setup(&idle->tasklet, idle_run);
		tasklet_kill(&idle->tasklet);
		kfree(idle);
	}
	took = ktime_get_ns() - began;
	seq_printf(m, "d-heap %u %llu\n", LIVES, took);
	return 0;
}

/* The allocation alone. */
static int allocate(struct seq_file *m)
{
	struct idle *idle;
	u64 began, took;
	u32 i;

	began = ktime_get_ns();
	for (i = 0; i < LIVES; i++) {
		idle = kmalloc_obj(*idle);
		if (!idle)
			return -ENOMEM;
		kfree(idle);
	}
	took = ktime_get_ns() - began;
	seq_printf(m, "alloc %u %llu\n", LIVES, took);
	return 0;
}

static int show(struct seq_file *m, void *unused)
{
	int error = run_again(m);

	if (error)
		return error;
	schedule_scheduled(m);
	disable_enable(m);
	init_kill(m);
	return init_kill_heap(m) ?: allocate(m);
}

static struct proc_dir_entry *entry;

static int __init bench_init(void)
{
	entry = proc_create_single("bench_c", 0444, NULL, show);
	return entry ? 0 : -ENOMEM;
}

static void __exit bench_exit(void)
{
	proc_remove(entry);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("What tasklets cost in C");
MODULE_LICENSE("GPL");
