#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# experiments.sh BUILD: some experiments of lab/, in the guest: they end, report what they saw, and
# restore all settings, also when they are interrupted.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

top=${BASH_SOURCE[0]%/*}/../..
insmod "${1?"usage: experiments.sh BUILD"}/jitasklet.ko" || exit
tracing=/sys/kernel/tracing
settings=(/sys/kernel/debug/sched/fair_server/cpu*/runtime /proc/sys/kernel/sched_rt_runtime_us
	/sys/class/net/lo/queues/rx-0/rps_cpus "$tracing"/{trace_clock,tracing_on,set_event})

# Prints the settings, and the processes with a real-time priority or the name of a load.
state() {
	grep -H '' "${settings[@]}"
	grep -hxE 'hog|busy|another|net|timer|block|compile|cc1|make' /proc/[0-9]*/comm 2>/dev/null
	return 0
}

# prints EXPERIMENT PATTERN: the experiment prints what it expected, and PATTERN.
prints() {
	local said
	said=$(timeout 2000 "$top/lab/$1.sh" 2>&1) || { echo "# $said"; return 1; }
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

# interrupted EXPERIMENT: interrupts it while it reads, as Ctrl-C would. The signal comes twice, as
# timeout sends it. On a fast machine the experiment may end first: then this tries again.
interrupted() {
	local pid seen status try
	for try in {1..100}; do
		: >"$tracing/trace"
		set -m
		"$top/lab/$1.sh" >/tmp/said 2>&1 &
		pid=$!
		set +m
		grep -qm 1 ': read jitasklet' "$tracing/trace_pipe" &
		seen=$!
		wait -n "$seen" "$pid"
		kill -INT "$pid" && kill -INT -- "-$pid"
		kill "$seen"
		status=0
		wait "$pid" || status=$?
		echo "# try $try: status $status"
		[ "$status" = 0 ] || break
	done 2>/dev/null
	[ "$status" = 130 ] || { sed 's/^/# /' /tmp/said; return 1; }
}

# An experiment gets the signal again while it cleans up, at the last moment at which it still
# handles it.
interrupted_again() {
	local dir=/tmp/lab.again/lab status=0
	mkdir -p "$dir" && cp "$top"/lab/*.{sh,py} "$dir" || return
	cat >"$dir/again.sh" <<-'EOF'
		#!/bin/bash
		. "${BASH_SOURCE[0]%/*}/experiment.sh"
		trap() {
			kill -INT $$
			builtin trap "$@"
		}
		write_setting /proc/sys/kernel/sched_rt_runtime_us -1
		start busy spin
		kill -INT $$
	EOF
	chmod +x "$dir/again.sh"
	"$dir/again.sh" || status=$?
	[ "$status" = 130 ] || { echo "# it ended with $status"; return 1; }
}

before=$(state)
plan 6
check 'idle: prints what it saw' prints idle 'This is (not )?as expected'
check 'pinned: all rows are on one CPU' prints pinned 'This is as expected'
check 'the experiments restore all settings' leaves_nothing "$before" true
case $(uname -v) in
*PREEMPT_RT*)
	check 'hog: is not for PREEMPT_RT' fails_with 'not for PREEMPT_RT' "$top/lab/hog.sh"
	check 'rt, interrupted, restores all settings' leaves_nothing "$before" interrupted rt
	;;
*)
	check 'hog: the table of the book' prints hog 'This is as expected'
	check 'hi, interrupted, restores all settings' leaves_nothing "$before" interrupted hi
	;;
esac
check 'signalled again, they restore all settings' leaves_nothing "$before" interrupted_again
rmmod jitasklet
end
