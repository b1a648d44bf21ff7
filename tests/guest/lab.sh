#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab.sh BUILD: the experiments of lab/, in the guest: they end, say what they saw, and leave all
# settings as they were, also when they are interrupted.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

top=${BASH_SOURCE[0]%/*}/../..
insmod "$1/jitasklet.ko" || exit
tracing=/sys/kernel/tracing
settings=(/sys/kernel/debug/sched/fair_server/cpu*/runtime /proc/sys/kernel/sched_rt_runtime_us
	/sys/class/net/lo/queues/rx-0/rps_cpus "$tracing"/{trace_clock,tracing_on,set_event})

# The settings, and what runs with a real-time priority or the name that a load has.
state() {
	local comm
	grep -H '' "${settings[@]}"
	for comm in /proc/[0-9]*/comm; do
		grep -xE 'hog|busy|another|net|timer|block|compile|cc1|make' "$comm"
	done 2>/dev/null
	return 0
}

# says EXPERIMENT PATTERN
says() {
	local said
	said=$(timeout 200 "$top/lab/$1.sh" 2>&1) || { echo "# $said"; return 1; }
	if ! grep -E "$2" <<<"$said" || ! grep -q '^Expected: ' <<<"$said"; then
		echo "# it said: $said"
		return 1
	fi
}

leaves_nothing() {
	local before=$1 after status=0
	shift
	"$@" || status=$?
	after=$(state)
	[ "$before" = "$after" ] || { echo "# it was: $before"; echo "# it is: $after"; status=1; }
	return "$status"
}

# interrupted EXPERIMENT SECONDS: as by Ctrl-C.
interrupted() {
	local status=0
	timeout -s INT -k 60 "$2" "$top/lab/$1.sh" >/dev/null 2>&1 || status=$?
	[ "$status" = 124 ] || { echo "# timeout ended with $status instead of 124"; return 1; }
}

before=$(state)
plan 5
t 'idle: says what it saw' says idle '(bears|does not bear) out what was expected'
t 'pinned: all rows are on one CPU' says pinned 'This bears out what was expected'
t 'the experiments leave all as it was' leaves_nothing "$before" true
case $(uname -v) in
*PREEMPT_RT*)
	t 'hog: is not for PREEMPT_RT' red 'not for PREEMPT_RT' "$top/lab/hog.sh"
	t 'rt, interrupted, leaves all as it was' leaves_nothing "$before" interrupted rt 6
	;;
*)
	t 'hog: the table of the book' says hog 'This bears out what was expected'
	t 'hi, interrupted, leaves all as it was' leaves_nothing "$before" interrupted hi 10
	;;
esac
rmmod jitasklet
end
