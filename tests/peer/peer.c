// SPDX-License-Identifier: GPL-2.0
/*
 * peer.c: /proc/peer shows what /proc/jitasklet shows, as one would write it in C, and with one
 * defect of choice, which the kernel has to catch:
 *
 *     none     as it should be
 *     leak     an interrupted read returns without a kill, and without freeing the tasklet
 *     free     an interrupted read frees the tasklet without a kill
 *     cpu      asks for the CPU where it can be preempted
 *     forge    prints a comm as it is
 *     sleep    sleeps in the callback
 *     hang     kills a tasklet that is disabled and scheduled
 *     enable   ends that hang
 *
 * What was left scheduled may still run, so the module cannot be unloaded. The defect is a
 * parameter that can be written at any time instead.
 */

#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#define RUNS	5
#define ESCAPED	"\1\2\3\4\5\6\a\b\t\n\v\f\r\16\17\20\21\22\23\24\25\26\27" \
		"\30\31\32\33\34\35\36\37\177\\"

static char defect[8] = "none";
module_param_string(defect, defect, sizeof(defect), 0644);
MODULE_PARM_DESC(defect, "The defect to have");

struct row {
	unsigned long time;
	int in_interrupt;
	int pid;
	int cpu;
	char comm[TASK_COMM_LEN];
};

/* The tasklet comes last: KASAN keeps notes in the first bytes of what is freed. */
struct measurement {
	struct row row[1 + RUNS];
	int runs;
	struct completion done;
	struct tasklet_struct tasklet;
};

static bool has(const char *name)
{
	return sysfs_streq(defect, name);
}

static void look_around(struct row *row)
{
	row->time = jiffies;
	row->in_interrupt = !!in_interrupt();
	row->pid = current->pid;
	row->cpu = has("cpu") ? smp_processor_id() : raw_smp_processor_id();
	get_task_comm(row->comm, current);
}

static void run(struct tasklet_struct *t)
{
	struct measurement *m = from_tasklet(m, t, tasklet);

	if (has("sleep"))
		kfree(kmalloc(RUNS, GFP_KERNEL));
	look_around(&m->row[++m->runs]);
	if (m->runs < RUNS)
		tasklet_schedule(t);
	else
		complete(&m->done);
}

static void print(struct seq_file *s, const struct measurement *m)
{
	const struct row *row;
	unsigned long before = m->row[0].time;

	seq_puts(s, "   time   delta  inirq    pid   cpu command\n");
	for (row = m->row; row <= &m->row[RUNS]; row++) {
		seq_printf(s, "%9li  %3li     %i    %6i   %i   ", row->time, row->time - before,
			   row->in_interrupt, row->pid, row->cpu);
		if (has("forge"))
			seq_puts(s, row->comm);
		else
			seq_escape(s, row->comm, ESCAPED);
		seq_putc(s, '\n');
		before = row->time;
	}
}

static void nothing(struct tasklet_struct *t)
{
}

static DECLARE_TASKLET_DISABLED(disabled, nothing);

static int show(struct seq_file *s, void *unused)
{
	struct measurement *m;
	int error;

	if (has("hang")) {
		tasklet_schedule(&disabled);
		tasklet_kill(&disabled);
		return 0;
	}
	if (has("enable")) {
		tasklet_enable(&disabled);
		return 0;
	}

	m = kzalloc_obj(*m);
	if (!m)
		return -ENOMEM;
	init_completion(&m->done);
	tasklet_setup(&m->tasklet, run);
	look_around(&m->row[0]);

	tasklet_schedule(&m->tasklet);
	error = wait_for_completion_interruptible(&m->done);
	if (error && has("leak"))
		return error;
	if (!error || !has("free"))
		tasklet_kill(&m->tasklet);
	if (!error)
		print(s, m);
	kfree(m);
	return error;
}

static int __init peer_init(void)
{
	/* For ever: see above. */
	__module_get(THIS_MODULE);
	return proc_create_single("peer", 0444, NULL, show) ? 0 : -ENOMEM;
}

module_init(peer_init);
MODULE_DESCRIPTION("What jitasklet does, in C and with a defect");
MODULE_LICENSE("GPL");
