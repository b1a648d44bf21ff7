#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rt.sh: the same on the ordinary kernel and on PREEMPT_RT (make shell KERNEL=rt): a process keeps
# the reader's CPU busy, and packets interrupt it.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

expect 'on the ordinary kernel, some runs borrow a process that was interrupted. On PREEMPT_RT' \
	'none do: all are in threads of the kernel, such as ksoftirqd.'

# What CPU 0 sends to this machine itself, the last CPU receives, after an interrupt.
write_setting /sys/class/net/lo/queues/rx-0/rps_cpus "$(printf %x $((1 << last)))"
hold
load_ready net 0
go
on_cpu "$last"
start busy spin
reads jitasklet 30
reads jitasklethi 30
finish
