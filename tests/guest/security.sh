#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# security.sh BUILD: what a reader without privileges can learn and cost, in the guest. What that
# means is in docs/reliability.md.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"
. "${BASH_SOURCE[0]%/*}/../../lab/ftrace.sh"

ko=${1?"usage: security.sh BUILD"}/jitasklet.ko
reader=$1/tests/reader
files=(/proc/jitasklet /proc/jitasklethi)

nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all "$@"
}

# each COMMAND...: with each of the two files as its last argument.
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

# Nothing but numbers, none of them larger than what it stands for, and a name of 15 bytes at most.
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
	!/^ *[0-9]+ +[0-9]+     [01]     *[0-9]+   [0-9]+   .*$/ { bad("no row") }
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

# To nobody all addresses are 0, and sections and the log's lines have none.
no_addresses() {
	local symbols
	symbols=$(nobody grep '\[jitasklet\]' /proc/kallsyms | cut -d ' ' -f 1 | sort -u)
	[ "$symbols" = 0000000000000000 ] || { echo "# /proc/kallsyms: $symbols"; return 1; }
	nobody grep -E '^jitasklet .* 0x0+( \(OE?\))?$' /proc/modules || return
	! nobody cat /sys/module/jitasklet/sections/.text 2>/dev/null || return
	! grep -hE 'ffff[0-9a-f]{8}' "${files[@]}" || return
	! grep jitasklet <<<"$log" | grep -E 'ffff[0-9a-f]{8}'
}

# other_task FILE: a table whose last row is of another task than this one and the idle one, in
# $table, and that row's pid and comm in $pid and $comm.
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

# The bash in a PID namespace is 1 there, and its row has the pid that it has outside. The other
# rows are of tasks that it cannot see.
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

# mounted OPTION COMMAND...: with /proc mounted with that option, as the command alone sees it.
mounted() {
	# Another shell would not hand functions on.
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

timers() {
	awk '$1 == "TIMER:" { for (i = 2; i <= NF; i++) sum += $i; print sum }' /proc/softirqs
}

# The median run is shorter than the median timer softirq, in cycles. Reads until there are some.
short() {
	local reads=0 before
	begin_trace x86-tsc irq:softirq_entry irq:softirq_exit irq:tasklet_entry irq:tasklet_exit &&
		before=$(timers) || return
	while [ "$reads" = 0 ] || [ $(($(timers) - before)) -lt 5 ]; do
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

# What this shell allocates by opening and reading the file 16 times, and by closing it.
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

# A page for the text, and less than another one for all that belongs to an open file; all of that
# by the kernel's own code.
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
	# Not before the trace was read: the kernel cannot hash before it has enough randomness.
	echo 1 >"$tracing/options/hash-ptr"
	return "$status"
}

insmod "$ko" && log=$(dmesg) || exit
plan 10
check 'modinfo is complete' info
check 'a user without privileges can read' each read_by_nobody
check 'a table has numbers in their ranges and names, and no address' each in_range
check 'nor has anything else of the module, to a user without privileges' no_addresses
if [ -e /proc/self/ns/pid ]; then
	check 'in a PID namespace: pids of the initial one, and tasks outside' each pid_namespace
else
	skip 'in a PID namespace: pids of the initial one, and tasks outside' 'there are none'
fi
check 'with hidepid=2: tasks that are hidden' each hidden_and_shown
check 'with subset=pid: no file' each only_pids
check 'chmod takes the files from users without privileges' each taken_away
check 'a run is shorter than a timer softirq' each short
check 'an open file takes a page and little more, and nothing of the module' each memory
rmmod jitasklet
restore_settings
end
