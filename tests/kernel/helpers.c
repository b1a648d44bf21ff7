// SPDX-License-Identifier: GPL-2.0
/*
 * helpers.c: the C functions that the tests need besides the wrapper's helpers.
 */

#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/hardirq.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

bool test_in_serving_softirq(void)
{
	return in_serving_softirq();
}

bool test_in_hardirq(void)
{
	return in_hardirq();
}

bool test_irqs_disabled(void)
{
	return irqs_disabled();
}

/* The online CPU after @cpu, which begins with -1; at least nr_cpu_ids if there is none. */
unsigned int test_next_cpu(int cpu)
{
	return cpumask_next(cpu, cpu_online_mask);
}

/* Pins the current task to @cpu, or unpins it if @cpu is negative. */
int test_pin(int cpu)
{
	return set_cpus_allowed_ptr(current, cpu < 0 ? cpu_possible_mask : cpumask_of(cpu));
}

struct test_call {
	struct irq_work work;
	void (*run)(void *arg);
	void *arg;
};

static void test_run_call(struct irq_work *work)
{
	struct test_call *call = container_of(work, struct test_call, work);

	call->run(call->arg);
}

static void test_interrupt_self(void *work)
{
	irq_work_queue(work);
}

/*
 * Calls @run on @cpu in a hard interrupt that the CPU sends to itself, and waits for it. A call
 * from another CPU would not do: the idle loop may take it without an interrupt, and on PREEMPT_RT
 * the kernel warns of one that raises a softirq.
 */
void test_on_cpu(unsigned int cpu, void (*run)(void *arg), void *arg)
{
	struct test_call call = {
		.work = IRQ_WORK_INIT_HARD(test_run_call),
		.run = run,
		.arg = arg,
	};

	smp_call_function_single(cpu, test_interrupt_self, &call.work, true);
	irq_work_sync(&call.work);
}

struct test_job {
	void (*run)(void *arg);
	void *arg;
	struct completion done;
};

static int test_run_job(void *data)
{
	struct test_job *job = data;

	job->run(job->arg);
	/* Ends in the kernel's code: this module may be unloaded as soon as the job is done. */
	kthread_complete_and_exit(&job->done, 0);
}

/* Calls @run on all online CPUs at once, on each in a thread of its own, and waits for all. */
int test_on_every_cpu(void (*run)(void *arg), void *arg)
{
	struct test_job *jobs = kcalloc(nr_cpu_ids, sizeof(*jobs), GFP_KERNEL);
	struct task_struct *thread;
	unsigned int cpu;
	int error = 0;

	if (!jobs)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		jobs[cpu].arg = arg;
		init_completion(&jobs[cpu].done);
		thread = kthread_create_on_cpu(test_run_job, &jobs[cpu], cpu, "jittest/%u");
		if (IS_ERR(thread)) {
			error = PTR_ERR(thread);
			break;
		}
		jobs[cpu].run = run;
		wake_up_process(thread);
	}
	for_each_online_cpu(cpu) {
		if (jobs[cpu].run)
			wait_for_completion(&jobs[cpu].done);
	}
	kfree(jobs);
	return error;
}

int test_remove_cpu(unsigned int cpu)
{
	return remove_cpu(cpu);
}

int test_add_cpu(unsigned int cpu)
{
	return add_cpu(cpu);
}
