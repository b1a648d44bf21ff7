#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# busy.sh: every CPU is busy with an ordinary process, an endless loop.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

expect 'in most reads ksoftirqd still runs all five, before the next tick: it is woken at once,' \
	'and a process that keeps the CPU busy does not keep it from running.'
for ((cpu = 0; cpu <= last; cpu++)); do
	start busy spin
	on_cpu "$cpu" $!
done
reads jitasklet "$count"
reads jitasklethi "$count"
finish
