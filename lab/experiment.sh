# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# experiment.sh: what the experiments share. They run in the guest, as root:
#
#     expect SENTENCE...		what should be seen: said before, judged afterwards
#     reads FILE COUNT		reads /proc/FILE that often, in this very shell
#     on_cpu CPU [PID]		pins this shell, or PID
#     set_comm NAME			sets the name (comm) that this shell has in the tables
#     start NAME FUNCTION...	runs a function in the background, until the end
#     stop			ends all that was started
#     hold			what is made ready from here on waits for 'go'
#     hog_ready			a real-time process that holds the reader's CPU, the last one
#     load_ready NAME CPU		work for softirqs, from that CPU
#     write_setting FILE VALUE	writes a setting, until the end; see ftrace.sh
#     mark WORDS...			a note in the trace
#     finish			ends the trace, shows a table and says what was seen
#
# With LAB_DIR set, the trace is kept there for the report, and nothing is shown. hog.sh and busy.sh
# read each file $count times: LAB_READS, or 20. However an experiment ends, what it started is
# killed, and what it set is as it was.
#
# A new experiment also has its judge in observe.py (JUDGES), and its place in report.py (ORDER) and
# in scripts/lab.sh.

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

# A start of a program is what costs in an emulated guest, so little is started here.
#
# From the first read on no command is substituted. Where a signal meets the subshell of one, bash
# may take the trap for a part of the substitution, and ends with another status.

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

# A second signal may come at any time, also while the first is taken (timeout sends two), and
# where it made the shell exit, nothing would be as it was.
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

# Here and in the background: no program has to start for it.
set_comm() {
	printf %s "$1" >/proc/self/comm
}

on_cpu() {
	local mask
	printf -v mask %x $((1 << $1))
	taskset -p "$mask" "${2-$BASHPID}" >/dev/null
}

# In a process group of its own, so that its children end with it.
start() {
	local name=$1
	shift
	set -m
	(set_comm "$name" && "$@") </dev/null &
	set +m
	started+=($!)
	mark "$name $!"
}

# Ends all that was started. The shell needs nothing else for it, not even the path of a file.
stop() {
	local pid
	# All, before any is waited for: its end may need a worker that a hog does not let run.
	for pid in "${started[@]}"; do kill -KILL -- "-$pid" || :; done 2>&"$null"
	for pid in "${started[@]}"; do wait "$pid" || :; done 2>&"$null"
	started=()
	[ -z "$outranks" ] || chrt -o -p 0 "$BASHPID"
	outranks=
}

spin() {
	while :; do :; done
}

# The trace is on only for the time of a read. The shell is in /proc, and reads and marks without
# help: no process starts for it, and it looks for nothing on the disk.
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

# A pipe to oneself, in $pipe.
pipe() {
	exec {pipe}<> <(:)
}

# What follows, until 'go', waits for it.
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

# load_ready NAME CPU: work for softirqs. See loads.py.
load_ready() {
	start "$1" load "$1"
	on_cpu "$2" $!
	read -r -t 600 _ <&"$ready"
}

# A hog: a real-time process that holds the last CPU. It outranks ksoftirqd, and this shell outranks
# it. It ends by itself, as a guard, should the shell come to wait for something that it keeps from
# running; the shell starts no program meanwhile.
hold_cpu() {
	local end
	read -r _ <&"$gate"
	for ((end = SECONDS + 100; SECONDS < end; )); do :; done
}

hog_ready() {
	# Nothing may help ksoftirqd to some time beside the hog.
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

is_rt() {
	[[ $(</proc/version) = *PREEMPT_RT* ]]
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

# From here on in memory, with copies of the shell, of python, and of their libraries: where a
# real-time process holds a CPU, the file system's workers may not run, and nothing must come to
# wait for them. A page that was read once is not safe either: virtiofs drops a file's pages when
# somebody opens it again.
memory=/run/lab
if [ "$lab" != "$memory" ]; then
	export LAB_TOP=${lab%/*}
	[ -e /proc/jitasklet ] || insmod "$LAB_TOP/build/$release/jitasklet.ko"
	mkdir -p "$memory"
	programs=("$BASH")
	[[ $(<"$0") != *load_ready* ]] || programs+=("$(command -v python3)")
	# The linker says where the libraries are, and one program more is what costs here.
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
# The clock of the processor counts finer than the trace prints others, and all CPUs share it.
begin_trace x86-tsc "${events[@]}"
echo 0 >&"$switch"
cd /proc
set_comm reader
mark "kernel $release"
mark "rt $(is_rt && echo 1 || echo 0)"
[[ $(</proc/cpuinfo) =~ cpu\ MHz[[:space:]]*:\ ([0-9.]+) ]]
mark "mhz ${BASH_REMATCH[1]}"
