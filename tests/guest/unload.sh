#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# unload.sh BUILD [SCENARIO...]: unloads the module unload_test, or has it fail to load, after it
# has leaked tasklets, work items and files; in the guest. A handler that ran afterwards would
# crash.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

build=${1?"usage: unload.sh BUILD"}
shift
# A copy in memory: the file system that the guest shares with the host is slow.
ko=/tmp/unload_test.ko
tracing=/sys/kernel/tracing
cpus=$(busybox nproc)

# The scenarios that leak no memory come first, so that kmemleak can show that nothing else does.
statics=(two_statics two_each_other three_in_a_ring own_handle own_guard disabled_statics
	disabled_by_another long_runs indirect_calls)
heap=(owner disabled work_itself work_in_a_ring work_and_tasklets work_makes work_drops)
files=(show_makes show_schedules show_queues)

# Starts a shell on each CPU, which runs the lines that are written to it and returns their status.
# Otherwise, hundreds of programs would be started to get to another CPU.
start_shells() {
	local cpu line
	trap 'kill "${shells[@]}"' EXIT
	for ((cpu = 0; cpu < cpus; cpu++)); do
		mkfifo "/tmp/unload.to.$cpu" "/tmp/unload.from.$cpu" || return
		exec {fd}<>"/tmp/unload.to.$cpu"
		to_shell[cpu]=$fd
		exec {fd}<>"/tmp/unload.from.$cpu"
		from_shell[cpu]=$fd
		{
			trap - EXIT
			while read -r -u "${to_shell[cpu]}" line; do
				eval "$line"
				echo "$?" >&"${from_shell[cpu]}"
			done
		} &
		shells[cpu]=$!
		busybox taskset -p "$(printf %x $((1 << cpu)))" "$!" >/dev/null || return
	done
}

# on_cpu CPU COMMAND...: runs the command in that CPU's shell.
on_cpu() {
	local cpu=$1 status
	shift
	echo "${*@Q}" >&"${to_shell[cpu]}" && read -r -u "${from_shell[cpu]}" status &&
		return "$status"
}

logged() {
	dmesg | grep -q "unload_test: $1"
}

exists() {
	[ -e "$1" ]
}

is_gone() {
	[ ! -e "$1" ]
}

# The clock is a counter, which orders the events of all CPUs. Reads of jitasklet's files flush the
# lists.
set_up() {
	echo 1 >"$tracing/tracing_on" && echo counter >"$tracing/trace_clock" &&
		echo 32 >"$tracing/buffer_size_kb" &&
		printf '%s\n' module:module_free irq:tasklet_entry \
			workqueue:workqueue_execute_start >"$tracing/set_event" &&
		busybox cp "$build/tests/kernel/unload_test.ko" "$ko" &&
		busybox insmod "$build/jitasklet.ko" bh=1 && start_shells &&
		busybox taskset -p 1 $$ >/dev/null
}

read_files() {
	local file table
	for file in jitasklet jitasklethi jitbh; do
		mapfile -t table <"/proc/$file"
		[ "${#table[@]}" -eq 7 ] || return
	done
}

# Makes every CPU run its lists of tasklets and BH work items, and its ordinary workqueue: queues
# something behind each, and waits until that has run.
flush() {
	local cpu
	for ((cpu = 0; cpu < cpus; cpu++)); do
		on_cpu "$cpu" read_files || return
	done
	echo 1 >/proc/sys/vm/stat_refresh
}

# As long as a CPU's lists are not empty, its ksoftirqd stays awake.
asleep() {
	local stat
	for stat in "${ksoftirqds[@]}"; do
		[[ $(<"$stat") = *') S '* ]] || return
	done
}

# Also reads files that should no longer exist: that would crash.
nothing_is_left() {
	local left
	flush || return
	for left in /proc/unload_*; do
		[ ! -e "$left" ] || { cat "$left"; echo "# $left is left"; return 1; }
	done
	[ ! -e /sys/module/unload_test ] && await asleep && ran_before_it_was_freed
}

# A function of an unloaded module has no name, only an address.
ran_before_it_was_freed() {
	local events event freed=0 late=0
	mapfile -t events <"$tracing/trace"
	for event in "${events[@]}"; do
		case $event in
		*' module_free: unload_test'*) freed=$((freed + 1)) ;;
		*' function'[\ =]0x*)
			[ "$freed" = 0 ] || [ $((late++)) -ge 3 ] ||
				echo "# after the module was freed: $event"
			;;
		esac
	done
	[ "$freed" = 1 ] || echo "# in the trace, the module was freed $freed times"
	[ "$freed $late" = '1 0' ]
}

load() {
	: >"$tracing/trace"
	busybox insmod "$ko" "${@/%/=1}"
}

# With kmod's insmod: busybox's would retry with another system call.
fail_to_load() {
	local said
	: >"$tracing/trace"
	if said=$(insmod "$ko" "${@/%/=1}" fail=1 2>&1) || [[ $said != *'resource busy'* ]]; then
		echo "# insmod: $said"
		return 1
	fi
}

# Unloads with the handlers on the CPU of rmmod, and on each other one.
unloaded() {
	local cpu
	for ((cpu = 0; cpu < cpus; cpu++)); do
		on_cpu "$cpu" load "$@" && busybox rmmod unload_test && nothing_is_left || return
	done
}

not_loaded() {
	fail_to_load "$@" && nothing_is_left
}

# while_read HOW SCENARIO: the same while a reader is in a file's show, which returns only after the
# file has disappeared from /proc. So unloading waits for the reader.
while_read() {
	local how=$1 reader going status=0
	shift
	if [ "$how" = unloaded ]; then
		load "$@" || return
	else
		fail_to_load "$@" &
		going=$!
	fi
	await exists /proc/unload_waits || return
	read -r _ </proc/unload_waits &
	reader=$!
	await logged 'a reader waits' || return
	if [ "$how" = unloaded ]; then
		busybox rmmod unload_test &
		going=$!
	fi
	await is_gone /proc/unload_waits || status=1
	kill "$reader"
	wait "$reader"
	wait "$going" && [ "$status" = 0 ] && nothing_is_left
}

bad_parameter() {
	local said
	if said=$(insmod "$ko" two_statics=1 owner=rubbish 2>&1) || [[ $said != *'nvalid'* ]]; then
		echo "# insmod: $said"
		return 1
	fi
	flush && [ ! -e /sys/module/unload_test ]
}

# both COMMAND NAME SCENARIO...: tests the scenarios when the module is unloaded, and when it fails
# to load; through COMMAND, unless that is empty.
both() {
	check "$2: unloaded" ${1:+"$1"} unloaded "${@:3}"
	check "$2: fails to load" ${1:+"$1"} not_loaded "${@:3}"
}

# Kernels free the thunks of a module's indirect calls before its code.
thunks='indirect calls go through thunks that are freed first'
through_thunks() {
	grep thunks /sys/devices/system/cpu/vulnerabilities/indirect_target_selection
}

to_shell=() from_shell=() shells=()
mapfile -t ksoftirqds < <(grep -ls '(ksoftirqd/' /proc/[0-9]*/stat)
set_up || exit

if [ $# -gt 0 ]; then
	plan $(($# * 2))
	for scenario; do
		case $scenario in
		show_*) both while_read "$scenario" "$scenario" ;;
		*) both '' "$scenario" "$scenario" ;;
		esac
	done
	end
fi

plan $((2 * (${#statics[@]} + ${#heap[@]} + ${#files[@]} + 1) + 2))
if ! grep -q ' its_free_mod$' /proc/kallsyms; then
	skip "$thunks" 'this kernel has no such thunks'
elif ! grep -q indirect_target_selection=force /proc/cmdline; then
	skip "$thunks" 'the CPU is not emulated as one that needs them: see guest.sh --its'
else
	check "$thunks" through_thunks
fi
check 'a bad parameter: fails to load' bad_parameter
for scenario in "${statics[@]}"; do
	both '' "$scenario" "$scenario"
done
both '' 'all of these at once' "${statics[@]}"
# From here on, memory is leaked on purpose.
leaks
for scenario in "${heap[@]}"; do
	both '' "$scenario" "$scenario"
done
for scenario in "${files[@]}"; do
	both while_read "$scenario" "$scenario"
done
: >"$tracing/set_event"
busybox rmmod jitasklet
end
