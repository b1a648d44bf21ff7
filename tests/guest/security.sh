#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# security.sh BUILD: what an unprivileged reader can learn and cost, in the guest.
# docs/reliability.md discusses the results.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"
. "${BASH_SOURCE[0]%/*}/../../lab/ftrace.sh"

ko=${1?"usage: security.sh BUILD"}/jitasklet.ko
reader=$1/tests/reader
files=(/proc/jitasklet /proc/jitasklethi)

nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all "$@"
}

# each COMMAND...: runs the command for each of the two files, as its last argument.
each() {
	local file
	for file in "${files[@]}"; do
		"$@" "$file" || return
	done
}

info() {
	local field info
	info=$(modinfo "$ko") || return
	for field in 'author: +The jitasklet authors' 'description: +LDD3 7\.5: .*' \
		'license: +GPL' 'name: +jitasklet' 'depends: *' 'parm: +.*' 'parm: +bh:1: .*' \
		"vermagic: +$(uname -r | sed 's/[+.]/\\&/g') .*"; do
		[ "$(grep -cxE "$field" <<<"$info")" = 1 ] || { echo "# no $field"; return 1; }
	done
	! grep -E '^(intree|staging|alias|firmware|softdep|import_ns):' <<<"$info"
}

read_by_nobody() {
	nobody "$reader" "$1" many 5
}

now() {
	awk '$1 == "jiffies:" { print $2; exit }' /proc/timer_list
}

# A row has only numbers, each in its range, and a name of at most 15 bytes.
in_range() {
	local before after
	before=$(now)
	nobody cat "$1" >/tmp/security.table || return
	after=$(now)
	awk -v before="$before" -v after="$after" -v cpus="$(busybox nproc)" \
		-v pids="$(</proc/sys/kernel/pid_max)" '
	function bad(why) { print "# " why ": " $0; failed = 1 }
	NR == 1 {
		if ($0 != "   time   delta  inirq    pid   cpu command")
			bad("the header")
		next
	}
	!/^ *[0-9]+ +[0-9]+     [01]     *[0-9]+   [0-9]+   .*$/ { bad("not a row") }
	$1 < before || $1 > after || $2 > after - before { bad("time") }
	$4 >= pids || $5 >= cpus { bad("pid or CPU") }
	{
		sub(/^ *[0-9]+ +[0-9]+ +[01] +[0-9]+ +[0-9]+   /, "")
		gsub(/\\[0-7][0-7][0-7]/, ".")
		if (length > 15)
			bad("name")
	}
	END { exit failed || NR != 7 }' /tmp/security.table
}

# User nobody sees addresses as 0, and sees none in sections and in the log.
no_addresses() {
	local symbols
	symbols=$(nobody grep '\[jitasklet\]' /proc/kallsyms | cut -d ' ' -f 1 | sort -u)
	[ "$symbols" = 0000000000000000 ] || { echo "# /proc/kallsyms: $symbols"; return 1; }
	nobody grep -E '^jitasklet .* 0x0+( \(OE?\))?$' /proc/modules || return
	! nobody cat /sys/module/jitasklet/sections/.text 2>/dev/null || return
	! grep -hE 'ffff[0-9a-f]{8}' "${files[@]}" || return
	! grep jitasklet <<<"$log" | grep -E 'ffff[0-9a-f]{8}'
}

# other_task FILE: reads until the last row is of a task other than this one and the idle task. Sets
# $table, and $pid and $comm to that row's.
other_task() {
	for _ in {1..10000}; do
		mapfile -t table <"$1" || return
		read -r _ _ _ pid _ comm <<<"${table[6]}"
		[ "$pid" = "$$" ] || [ "$pid" = 0 ] || return 0
	done
}

in_pid_namespace() {
	local table pid comm
	other_task "$1" || return
	echo "$$" /proc/[0-9]*
	printf '%s\n' "${table[@]:1}"
	read -r _
}

with_hidepid() {
	local table pid comm
	[ ! -e /proc/1 ] && other_task "$1" || return
	echo "# shown: $pid $comm"
	[ ! -e "/proc/$pid" ] && [ "$pid" != "$$" ] && [ "$pid" != 0 ]
}
export -f other_task in_pid_namespace with_hidepid

# Bash has pid 1 in its PID namespace, but its row has its pid in the initial one. The other rows
# are of tasks that it cannot see.
pid_namespace() {
	local lines pid result=1
	coproc unshare --pid --fork --mount-proc bash -c 'in_pid_namespace "$@"' bash "$1"
	mapfile -t -n 7 -u "${COPROC[0]}" lines
	read -r _ _ _ pid _ <<<"${lines[1]}"
	echo "# inside: ${lines[0]}; the table:${lines[1]},${lines[6]}"
	if [ "${lines[0]}" = '1 /proc/1' ] &&
		[ "$(grep NSpid: "/proc/$pid/status" | xargs)" = "NSpid: $pid 1" ]; then
		read -r _ _ _ pid _ <<<"${lines[6]}"
		grep -xE "NSpid:	$pid" "/proc/$pid/status" && result=0
	fi
	echo >&"${COPROC[1]}"
	wait "$COPROC_PID" && return "$result"
}

# mounted OPTION COMMAND...: runs the command with a /proc of its own, mounted with that option.
mounted() {
	# Other shells would not pass on exported functions.
	unshare --mount bash -euc 'mount -t proc -o "$0" proc /proc; exec "$@"' "$@"
}

# User nobody cannot see root's tasks, yet the table names one.
hidden_and_shown() {
	mounted hidepid=2 setpriv --reuid 65534 --regid 65534 --clear-groups \
		bash -c 'with_hidepid "$@"' bash "$1"
}

only_pids() {
	mounted subset=pid test ! -e "$1" -a -e /proc/1
}

taken_away() {
	chmod 400 "$1" && cat "$1" >/dev/null && fails_with 'Permission denied' nobody cat "$1" &&
		chmod 444 "$1" && nobody cat "$1" >/dev/null
}

# The median run is shorter than the median timer softirq, in cycles. Reads until there are five
# timer softirqs.
short() {
	local reads=0 before
	begin_trace x86-tsc irq:softirq_entry irq:softirq_exit irq:tasklet_entry irq:tasklet_exit &&
		before=$(count_softirqs TIMER) || return
	while [ "$reads" = 0 ] || [ $(($(count_softirqs TIMER) - before)) -lt 5 ]; do
		"$reader" "$1" many 200 || return
		reads=$((reads + 200))
	done
	end_trace && read_trace '
	{ what = event ~ /^tasklet_/ ? "run" : value("vec") == 1 ? "timer" : "" }
	what == "" || what == "run" && text !~ /\[jitasklet\]/ { next }
	event ~ /_entry$/ { since[cpu, what] = time }
	event ~ /_exit$/ && (cpu, what) in since { print what, time - since[cpu, what] }
	' | sort -k1,1 -k2,2n | awk -v reads="$reads" '
	{ took[$1, ++count[$1]] = $2 }
	END {
		run = took["run", int((count["run"] + 1) / 2)]
		timer = took["timer", int((count["timer"] + 1) / 2)]
		printf "# %d runs: median %d cycles; %d timer softirqs: %d\n",
			count["run"], run, count["timer"], timer
		exit count["run"] != 5 * reads || run >= timer
	}'
}

# Opens and reads the file 16 times, with a mark before and after, and closes it.
opens() {
	local fd fds=()
	echo opening >&"$marker"
	for _ in {1..16}; do
		exec {fd}<"$1" && fds+=("$fd") && read -r -N 1 -u "$fd" _ || return
	done
	echo opened >&"$marker"
	for fd in "${fds[@]}"; do
		exec {fd}<&-
	done
}

# An open file takes one page for the text and less than another for the rest, all allocated by the
# kernel's own code.
memory() {
	local kmem=$tracing/events/kmem status=0
	opens "$1" && begin_trace counter kmem:{kmalloc,kmem_cache_alloc,kfree,kmem_cache_free} &&
		echo "common_pid == $BASHPID" >"$kmem/filter" &&
		echo 0 >"$tracing/options/hash-ptr" && opens "$1" && end_trace || return
	echo 0 >"$kmem/filter"
	read_trace '
	mark == "opening" { split("", size) }
	mark == "opened" {
		opened = 1
		for (ptr in size) {
			held += size[ptr]
			per_site[from[ptr]] += size[ptr]
		}
	}
	opened { next }
	event ~ /alloc/ {
		size[value("ptr")] = value("bytes_req")
		from[value("ptr")] = value("call_site")
		module += text ~ /\[jitasklet\]/
	}
	event ~ /free/ { delete size[value("ptr")] }
	END {
		for (by in per_site)
			if (per_site[by] >= 16)
				printf "#%6d bytes by %s\n", per_site[by] / 16, by
		printf "# %d bytes for each open file; by the module: %d times\n", held / 16, module
		exit !opened || held / 16 < 4096 || held / 16 >= 8192 || module
	}' || status=1
	# Only after the trace was read: the kernel may not have enough randomness to hash yet.
	echo 1 >"$tracing/options/hash-ptr"
	return "$status"
}

insmod "$ko" && log=$(dmesg) || exit
plan 10
check 'modinfo is complete' info
check 'an unprivileged user can read' each read_by_nobody
check 'a table has names and numbers in their ranges, and no address' each in_range
check 'nothing else shows an unprivileged user an address of the module' no_addresses
if [ -e /proc/self/ns/pid ]; then
	check 'in a PID namespace: the table has initial pids, and tasks outside' each pid_namespace
else
	skip 'in a PID namespace: the table has initial pids, and tasks outside' \
		'this kernel lacks CONFIG_PID_NS'
fi
check 'with hidepid=2: the table names hidden tasks' each hidden_and_shown
check 'with subset=pid: the files do not exist' each only_pids
check 'chmod 400 keeps unprivileged users from reading' each taken_away
check 'a run is shorter than a timer softirq' each short
check 'an open file takes less than two pages, none allocated by the module' each memory
rmmod jitasklet
restore_settings
end
