# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# experiment.sh: the functions of the experiments, which run in the guest, as root:
#
#     expect SENTENCE...	prints, before the experiment, what should be seen
#     reads FILE COUNT		reads /proc/FILE COUNT times, in this shell
#     on_cpu CPU [PID]		pins this shell, or PID
#     set_comm NAME		sets the name (comm) that this shell has in the tables
#     start NAME FUNCTION...	runs a function in the background, until the end
#     stop			ends everything that was started
#     hold			lets the hog and loads that are started next wait for 'go'
#     hog_ready			starts a process that holds the reader's CPU, the last one
#     load_ready NAME CPU	starts a process that makes work for softirqs, on that CPU
#     write_setting FILE VALUE	writes a setting, until the end; see ftrace.sh
#     mark WORDS...		writes a note to the trace
#     finish			ends the trace, prints a table and what was seen
#
# With LAB_DIR set, the trace is kept there for the report, and nothing is printed. hog.sh and
# busy.sh read each file $count times: LAB_READS, or 20. However an experiment ends, its processes
# are killed and its settings restored.
#
# To add an experiment, also add it to JUDGES in observe.py, ORDER in report.py, and scripts/lab.sh.

set -euo pipefail

lab=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
experiment=${0##*/}
experiment=${experiment%.sh}
events=(irq:softirq_raise irq:softirq_entry irq:softirq_exit irq:tasklet_entry irq:tasklet_exit
	sched:sched_switch sched:sched_wakeup irq_vectors:local_timer_entry)
read -r release </proc/sys/kernel/osrelease
read -r last </sys/devices/system/cpu/online
last=${last##*[-,]}
trace=${LAB_DIR:-/tmp}/$experiment.trace
# shellcheck disable=SC2034
count=${LAB_READS:-20}
started=() outranks='' cleaned=''

# Starting a program takes long in an emulated guest, so few are started here.
#
# There is no command substitution after the first read. If a signal comes during one, bash may run
# the trap as a part of it, and end with another status.

clean_up() {
	[ -z "$cleaned" ] || return 0
	cleaned=1
	trap '' INT TERM HUP
	set +e
	stop
	echo 0 >&"$switch"
	: >"$tracing/set_event"
	restore_settings
}

# A second signal may come at any time, also while the first is handled (timeout sends two). If it
# made the shell exit, nothing would be restored.
interrupted() {
	[ -n "$cleaned" ] || { clean_up; exit 130; }
}

mark() {
	echo 1 >&"$switch"
	echo "$*" >&"$marker"
	echo 0 >&"$switch"
}

expect() {
	[ -n "${LAB_DIR-}" ] || printf 'Expected: %s\n' "$*"
	mark "expect $*"
}

# Works in a subshell, too, and starts no program.
set_comm() {
	printf %s "$1" >/proc/self/comm
}

on_cpu() {
	local mask
	printf -v mask %x $((1 << $1))
	taskset -p "$mask" "${2-$BASHPID}" >/dev/null
}

# The process has a process group of its own, so that its children end with it.
start() {
	local name=$1
	shift
	set -m
	(set_comm "$name" && "$@") </dev/null &
	set +m
	started+=($!)
	mark "$name $!"
}

# Ends everything that was started. Before the hog has ended, this starts no program and opens no
# file.
stop() {
	local pid
	# Kills all before it waits for any, which may need a worker that the hog keeps from
	# running.
	for pid in "${started[@]}"; do kill -KILL -- "-$pid" || :; done 2>&"$null"
	for pid in "${started[@]}"; do wait "$pid" || :; done 2>&"$null"
	started=()
	[ -z "$outranks" ] || chrt -o -p 0 "$BASHPID"
	outranks=
}

spin() {
	while :; do :; done
}

# The trace is on only during a read. The shell is in /proc, and neither starts a process nor reads
# from a disk.
reads() {
	local i table
	for ((i = 0; i < $2; i++)); do
		echo 1 >&"$switch"
		echo "read $1" >&"$marker"
		mapfile -t table <"$1"
		printf 'row %s\n' "${table[@]:1}" >&"$marker"
		echo 0 >&"$switch"
	done
}

# Opens a pipe for reading and writing, as $pipe.
pipe() {
	exec {pipe}<> <(:)
}

# The hog and the loads that are started between this and 'go' wait for 'go'.
hold() {
	pipe
	gate=$pipe
	pipe
	ready=$pipe
}

go() {
	mark go
	printf '\n%.0s' {1..9} >&"$gate"
}

load() {
	PYTHONHOME=/usr exec "$memory"/ld-linux* --library-path "$memory" "$memory/python3" -B \
		"$memory/loads.py" "$1" <&"$gate" >&"$ready"
}

# load_ready NAME CPU: starts a load for softirqs. See loads.py.
load_ready() {
	start "$1" load "$1"
	on_cpu "$2" $!
	read -r -t 600 _ <&"$ready"
}

# The hog is a real-time process that holds the last CPU. It outranks ksoftirqd, and this shell
# outranks it. The shell starts no program meanwhile. If it ever waits for something that the hog
# keeps from running, the hog ends by itself after a while.
hold_cpu() {
	local end
	read -r _ <&"$gate"
	for ((end = SECONDS + 100; SECONDS < end; )); do :; done
}

hog_ready() {
	# Without this the kernel would give ksoftirqd some time beside the hog.
	disable_rt_throttling
	on_cpu "$last"
	start hog hold_cpu
	chrt -f -p 10 $!
	chrt -f -p 20 "$BASHPID"
	outranks=1
}

not_on_rt() {
	! is_rt || {
		echo "$experiment: not for PREEMPT_RT, where softirqs need a thread, which would" \
			'have to wait for the hog' >&2
		exit 1
	}
}

finish() {
	stop
	end_trace >&2 || exit
	cat "$tracing/trace" >"$trace"
	[ -n "${LAB_DIR-}" ] || python3 -B "$LAB_TOP/lab/observe.py" "$trace"
}

if [ "$EUID" != 0 ] || [ ! -d /sys/kernel/tracing/events/irq ]; then
	echo "$experiment: this is for a root shell in the guest: type 'make shell' first" >&2
	exit 1
fi

# From here on the experiment runs in memory, with copies of the shell, python and their libraries.
# While a real-time process holds a CPU, the file system's workers may not run, so nothing may wait
# for them. A page that was read before is not safe either: virtiofs drops a file's pages when the
# file is opened again.
memory=/run/lab
if [ "$lab" != "$memory" ]; then
	export LAB_TOP=${lab%/*}
	[ -e /proc/jitasklet ] || insmod "$JIT_BUILD/jitasklet.ko"
	mkdir -p "$memory"
	programs=("$BASH")
	[[ $(<"$0") != *load_ready* ]] || programs+=("$(command -v python3)")
	# The dynamic linker lists the libraries. This avoids starting ldd, which is a script.
	libraries=$(for program in "${programs[@]}"; do LD_TRACE_LOADED_OBJECTS=1 "$program"; done)
	declare -A found=()
	for word in $libraries; do
		[[ $word != /* ]] || found[$word]=1
	done
	cp -L "$0" "$lab"/{experiment.sh,ftrace.sh,loads.py} "${programs[@]}" "${!found[@]}" \
		"$memory"
	exec "$memory"/ld-linux* --library-path "$memory" "$memory/bash" "$memory/$experiment.sh"
fi

. "$lab/ftrace.sh"
exec {null}>/dev/null
trap clean_up EXIT
trap interrupted INT TERM HUP
# The TSC has a finer resolution than the trace prints for other clocks, and is the same on all
# CPUs.
begin_trace x86-tsc "${events[@]}"
echo 0 >&"$switch"
cd /proc
set_comm reader
mark "kernel $release"
mark "rt $(is_rt && echo 1 || echo 0)"
[[ $(</proc/cpuinfo) =~ cpu\ MHz[[:space:]]*:\ ([0-9.]+) ]]
mark "mhz ${BASH_REMATCH[1]}"
