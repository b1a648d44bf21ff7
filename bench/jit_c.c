// SPDX-License-Identifier: GPL-2.0
/*
 * jit_c.c: /proc/jitasklet_c and /proc/jitasklethi_c, and with bh=1 /proc/jitbh_c, which show what
 * /proc/jitasklet, /proc/jitasklethi and /proc/jitbh show, in C and the way that LDD3 7.5
 * describes: a structure is allocated for each read, and the tasklet or work item prints its row
 * itself.
 *
 * It does not have the usual bugs of such modules: on a signal the tasklet is killed before the
 * structure is freed, the CPU's number is read where that is allowed, and a comm cannot forge a
 * row. Built with DEFECTS, for tests/guest/defects.sh, it has the defect that a parameter selects,
 * which the kernel has to detect:
 *
 *     none     no defect
 *     leak     an interrupted read returns without a kill, and without freeing the structure
 *     free     an interrupted read frees the structure without a kill
 *     cpu      calls smp_processor_id() where it can be preempted
 *     forge    prints a comm without escapes
 *     sleep    sleeps in the callback
 *     hang     kills a tasklet that is disabled and scheduled
 *     enable   ends such a hang
 *
 * With DEFECTS the module cannot be unloaded, because a tasklet that was left scheduled may still
 * run. Instead, the parameter can be written at any time.
 */

#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define RUNS	5

/* The characters that would break or forge a row. */
static const char escaped[] = "\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11"
	"\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f\\";

static bool raw;
module_param(raw, bool, 0444);
MODULE_PARM_DESC(raw, "Print comms without escapes, as such modules usually do");

static bool bh;
module_param(bh, bool, 0444);
MODULE_PARM_DESC(bh, "Also make /proc/jitbh_c, which measures a BH work item");

#ifdef DEFECTS
static char defect[8] = "none";
module_param_string(defect, defect, sizeof(defect), 0644);
MODULE_PARM_DESC(defect, "The defect to have");

static bool has(const char *name)
{
	return sysfs_streq(defect, name);
}
#else
static bool has(const char *name)
{
	return false;
}
#endif

struct jit_data {
#ifdef DEFECTS
	/* KASAN overwrites the first bytes of freed memory. */
	char notes[64];
#endif
	union {
		struct tasklet_struct tasklet;
		struct work_struct work;
	};
	wait_queue_head_t wait;
	struct seq_file *m;
	unsigned long before;
	int left;
	bool stop;
	bool hi;
};

static void print_row(struct seq_file *m, unsigned long now, unsigned long before)
{
	seq_printf(m, "%9li  %3li     %i    %6i   %i   ", now, now - before, !!in_interrupt(),
		   current->pid, has("cpu") ? smp_processor_id() : raw_smp_processor_id());
	if (raw || has("forge"))
		seq_puts(m, current->comm);
	else
		seq_escape(m, current->comm, escaped);
	seq_putc(m, '\n');
}

static void jit_schedule(struct jit_data *data)
{
	if (data->hi)
		tasklet_hi_schedule(&data->tasklet);
	else
		tasklet_schedule(&data->tasklet);
}

/* One run. Returns whether there must be another one. */
static bool jit_note(struct jit_data *data)
{
	unsigned long now = jiffies;

	if (READ_ONCE(data->stop))
		return false;
	if (has("sleep"))
		kfree(kmalloc(RUNS, GFP_KERNEL));

	print_row(data->m, now, data->before);
	data->before = now;
	WRITE_ONCE(data->left, data->left - 1);
	if (data->left)
		return true;
	wake_up_interruptible(&data->wait);
	return false;
}

static void jit_run(struct tasklet_struct *t)
{
	struct jit_data *data = from_tasklet(data, t, tasklet);

	if (jit_note(data))
		jit_schedule(data);
}

static void jit_work(struct work_struct *work)
{
	struct jit_data *data = container_of(work, struct jit_data, work);

	if (jit_note(data))
		queue_work(system_bh_wq, &data->work);
}

static struct jit_data *jit_begin(struct seq_file *m)
{
	struct jit_data *data = kmalloc_obj(*data);

	if (!data)
		return NULL;
	data->before = jiffies;
	data->m = m;
	data->left = RUNS;
	data->stop = false;
	data->hi = m->private;
	init_waitqueue_head(&data->wait);

	seq_puts(m, "   time   delta  inirq    pid   cpu command\n");
	print_row(m, data->before, data->before);
	return data;
}

static int jit_wait(struct jit_data *data)
{
	int error = wait_event_interruptible(data->wait, !READ_ONCE(data->left));

	if (error)
		WRITE_ONCE(data->stop, true);
	return error;
}

static void jit_nothing(struct tasklet_struct *t)
{
}

static DECLARE_TASKLET_DISABLED(disabled, jit_nothing);

static int jit_show(struct seq_file *m, void *unused)
{
	struct jit_data *data;
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

	data = jit_begin(m);
	if (!data)
		return -ENOMEM;
	tasklet_setup(&data->tasklet, jit_run);
	jit_schedule(data);
	error = jit_wait(data);
	if (error && has("leak")) {
		/* Later runs see stop, and do not print to the file, which may be closed. */
		tasklet_unlock_wait(&data->tasklet);
		return error;
	}
	if (!error || !has("free"))
		tasklet_kill(&data->tasklet);
	kfree(data);
	return error;
}

static int jit_show_bh(struct seq_file *m, void *unused)
{
	struct jit_data *data = jit_begin(m);
	int error;

	if (!data)
		return -ENOMEM;
	INIT_WORK(&data->work, jit_work);
	queue_work(system_bh_wq, &data->work);
	error = jit_wait(data);
	cancel_work_sync(&data->work);
	kfree(data);
	return error;
}

static struct proc_dir_entry *normal, *hi, *work;

static void jit_exit(void)
{
	proc_remove(normal);
	proc_remove(hi);
	proc_remove(work);
}

static int __init jit_init(void)
{
#ifdef DEFECTS
	/* Never put again: see above. */
	__module_get(THIS_MODULE);
#endif
	normal = proc_create_single_data("jitasklet_c", 0444, NULL, jit_show, NULL);
	hi = proc_create_single_data("jitasklethi_c", 0444, NULL, jit_show, jit_show);
	if (bh)
		work = proc_create_single_data("jitbh_c", 0444, NULL, jit_show_bh, NULL);
	if (normal && hi && (work || !bh))
		return 0;
	jit_exit();
	return -ENOMEM;
}

module_init(jit_init);
module_exit(jit_exit);
MODULE_DESCRIPTION("The C twin of jitasklet");
MODULE_LICENSE("GPL");
