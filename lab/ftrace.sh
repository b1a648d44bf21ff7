# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ftrace.sh: settings and traces of the kernel, for the experiments and the suites in the guest:
#
#     write_setting FILE VALUE		writes a setting, and notes the value that it had
#     disable_rt_throttling		lets real-time tasks take all the time of a CPU
#     restore_settings			restores all settings, those of a trace too
#     begin_trace CLOCK EVENT...	starts a new trace of these events (SYSTEM:EVENT)
#     end_trace				ends it; fails if it is not whole
#     read_trace [OPTION...] PROGRAM	runs an awk program on it. For each line there are
#
#         comm pid cpu flags time event text	of '   bash-42   [001] d.h1. 7: event: text'
#         mark					the text, if it was written to $marker
#         value("vec")				what follows 'vec=' in the text
#
#     count_softirqs NAME		prints how many softirqs of this kind all CPUs have run
#     is_rt				succeeds on PREEMPT_RT
#
# Writing 1 and 0 to $switch turns tracing on and off. Lines without an event, as those of a stack,
# have only $0. Only read_trace and count_softirqs start a program: none can start while a real-time
# process holds the CPU. On the host, lab/reads.py reads a trace.

tracing=/sys/kernel/tracing
# shellcheck disable=SC2034
exec {switch}>"$tracing/tracing_on" {marker}>"$tracing/trace_marker"
setting_files=() setting_values=()

write_setting() {
	local was
	read -r was <"$1" || return
	# Some files of tracefs show more than the value: all choices, with the current one in
	# brackets, or a remark.
	if [[ $was =~ \[(.*)\] ]]; then
		was=${BASH_REMATCH[1]}
	fi
	setting_values+=("${was%% (*}")
	setting_files+=("$1")
	echo "$2" >"$1"
}

disable_rt_throttling() {
	local file
	for file in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
		write_setting "$file" 0 || return
	done
	write_setting /proc/sys/kernel/sched_rt_runtime_us -1
}

restore_settings() {
	local i
	for ((i = ${#setting_files[@]} - 1; i >= 0; i--)); do
		echo "${setting_values[i]}" >"${setting_files[i]}"
	done
	setting_files=() setting_values=()
}

begin_trace() {
	write_setting "$tracing/tracing_on" 0 && write_setting "$tracing/trace_clock" "$1" &&
		write_setting "$tracing/buffer_size_kb" 8192 &&
		printf '%s\n' "${@:2}" >"$tracing/set_event" || return
	: >"$tracing/trace"
	echo 1 >&"$switch"
}

end_trace() {
	local cpu stats
	echo 0 >&"$switch"
	: >"$tracing/set_event"
	for cpu in "$tracing"/per_cpu/cpu*; do
		read -r -d '' stats <"$cpu/stats" || :
		if [[ $stats =~ (overrun|dropped\ events):\ [1-9] ]]; then
			echo "# the trace is not whole: ${cpu##*/}'s buffer is too small"
			return 1
		fi
	done
}

# A comm may hold anything, but ends in column 16.
read_trace() {
	# shellcheck disable=SC2016
	awk "${@:1:$#-1}" '
	function value(name) {
		if (match(" " text, " " name "=[^ ]+"))
			return substr(text, RSTART + length(name) + 1, RLENGTH - length(name) - 2)
	}
	/^#/ { next }
	{ event = text = mark = "" }
	match(substr($0, 17), /^-[0-9]+ +\[[0-9]+\] [^ ]+ +[0-9.]+: [a-z0-9_]+: /) {
		comm = substr($0, 1, 16)
		sub(/^ +/, "", comm)
		split(substr($0, 18, RLENGTH), part, /[] :[]+/)
		pid = part[1]
		cpu = part[2] + 0
		flags = part[3]
		time = part[4]
		event = part[5]
		text = substr($0, 17 + RLENGTH)
		if (event == "tracing_mark_write")
			mark = text
	}
	'"${*: -1}" "$tracing/trace"
}

count_softirqs() {
	awk -v name="$1:" '
	$1 == name { for (i = 2; i <= NF; i++) sum += $i; print sum }' /proc/softirqs
}

is_rt() {
	[[ $(</proc/version) = *PREEMPT_RT* ]]
}
