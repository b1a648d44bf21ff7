#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# hi.sh: jitasklet against jitasklethi, on a CPU where other softirqs are raised all the time. A
# hog keeps ksoftirqd away: what is raised waits for the next interrupt, and then they run in turn.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

not_on_rt
expect 'no other softirq runs between the schedule of jitasklethi and its first run. Others run' \
	'before the first run of jitasklet, which waits longer by their time. The later runs do' \
	'not differ in this way: each is in the next pass.'

# softirqs NAME: how many the last CPU has handled, in $softirqs.
softirqs() {
	local line
	while read -ra line; do
		[ "${line[0]}" != "$1:" ] || softirqs=${line[last + 1]}
	done </proc/softirqs
}

# read_under LOAD VECTOR CPU: a load that is on the hog's CPU has to outrank it.
read_under() {
	local before began
	hold
	load_ready "$1" "$3"
	[ "$3" != "$last" ] || chrt -f -p 15 $!
	hog_ready
	softirqs "$2"
	before=$softirqs began=${EPOCHREALTIME/./}
	go
	mark load "$2"
	for _ in 1 2 3; do
		reads jitasklet 10
		reads jitasklethi 10
	done
	stop
	softirqs "$2"
	mark "$2" $(((softirqs - before) * 1000000 / (${EPOCHREALTIME/./} - began)))
}

# What CPU 0 sends to this machine itself, the last CPU receives, after an interrupt.
write_setting /sys/class/net/lo/queues/rx-0/rps_cpus "$(printf %x $((1 << last)))"
read_under net NET_RX 0
read_under timer TIMER "$last"
if [ -e /dev/nvme0n1 ]; then
	# The end of a request is for the CPU to handle that made it.
	write_setting /sys/block/nvme0n1/queue/rq_affinity 2
	read_under block BLOCK "$last"
fi
finish
