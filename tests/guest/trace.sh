#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
cd /sys/kernel/tracing
which awk mawk gawk chrt taskset; ls -l /etc/alternatives/awk; busybox | tr '\n' ' '
bash --version | head -1
head -50 README 2>/dev/null
cat /proc/filesystems | grep trac; ls; cat trace_clock; ls options
insmod /jitasklet/$1/jitasklet.ko
cat /sys/kernel/debug/sched/fair_server/cpu*/runtime /proc/sys/kernel/sched_rt_runtime_us
grep -w -e jiffies_64 -e jiffies /proc/kallsyms
echo 'e:jit/entry irq.tasklet_entry func=$func:symbol now=@jiffies_64:s64 comm=$comm' >> dynamic_events; echo $?
echo 'e:jit/exit irq.tasklet_exit func=$func:symbol now=@jiffies_64:s64' >> dynamic_events; echo $?
cat error_log
cat dynamic_events
echo 1 > events/jit/enable
for e in irq/tasklet_entry irq/tasklet_exit irq/softirq_raise irq/softirq_entry irq/softirq_exit irq_vectors/local_timer_entry; do echo 1 > events/$e/enable; done
time busybox taskset -p 2 $$
: > trace
printf begin > trace_marker
mapfile table </proc/jitasklet
{ echo table; printf 'row %s' "${table[@]:1}"; } > trace_marker
printf 'table\n%s' "${table[*]:1}" > trace_marker
mapfile table </proc/jitasklethi
printf 'table\n%s' "${table[*]:1}" > trace_marker
echo 0 > tracing_on
cat trace
cat per_cpu/cpu0/stats
