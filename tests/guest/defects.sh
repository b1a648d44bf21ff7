#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# defects.sh BUILD: the kernel detects each defect of a C module, and reports nothing for the same
# stimulus on the Rust module; in the guest. docs/reliability.md explains the difference.
#
# The Rust module comes first: some detectors report only once, and a report afterwards shows that
# the detector was on.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

reader=${1?"usage: defects.sh BUILD"}/tests/reader
leaking_ko=$1/tests/kernel/unload_test.ko
hung_task=/proc/sys/kernel/hung_task_timeout_secs
unreferenced=/tmp/defects.unreferenced

# in_c DEFECT COMMAND...: runs the command with that defect in /proc/jitasklet_c.
in_c() {
	local result=0
	echo "$1" >/sys/module/jitasklet_c/parameters/defect || return
	"${@:2}" || result=$?
	echo none >/sys/module/jitasklet_c/parameters/defect
	return "$result"
}

# pair DETECTOR PATTERN DEFECT WHAT COMMAND...: runs the same command on both modules, with the file
# to read as an argument. DETECTOR is a kernel function that exists only with the detector.
pair() {
	local detector=$1 pattern=$2 defect=$3 what=$4
	shift 4
	if grep -q " $detector$" "$symbols"; then
		check "Rust: $what does not happen" "$@" /proc/jitasklet
		splat "$pattern" "C: $what is caught" in_c "$defect" "$@" /proc/jitasklet_c
	else
		skip "Rust: $what does not happen" "this kernel has no $detector"
		skip "C: $what is caught" "this kernel has no $detector"
	fi
}

reads() {
	"$reader" "$1" many 20
}

storm() {
	"$reader" "$1" storm 300
}

c_without_defect() {
	reads /proc/jitasklet_c && storm /proc/jitasklet_c && "$reader" /proc/jitasklet_c names
}

# Collects unreferenced memory, after a storm on each. kmemleak reports an object only when it is
# some seconds old, so this scans until it reports C's; an object that Rust had leaked would be
# older.
storms() {
	local scan
	echo scan=off >"$kmemleak" && echo clear >"$kmemleak" || return
	storm /proc/jitasklet && in_c leak storm /proc/jitasklet_c || return
	for scan in {1..1000}; do
		echo scan >"$kmemleak" && cat "$kmemleak" >"$unreferenced" || return
		! leaked_by jit_show || break
	done
	echo "# $(grep -c '^unreferenced' "$unreferenced") unreferenced objects after $scan scans"
	echo clear >"$kmemleak"
	leaked_by jit_show
}

# Succeeds if an object was allocated below a function of that module.
leaked_by() {
	grep -qE "$1\+.*\[jitasklet_c\]" "$unreferenced"
}

# Each reported object is C's.
only_c_leaked() {
	awk '
	/^unreferenced object/ { objects++ }
	/ jit_show\+.*\[jitasklet_c\]/ { known++ }
	END { exit !objects || known != objects }' "$unreferenced" || {
		sed 's/^/# /' "$unreferenced"
		return 1
	}
}

# rows_parsed PATTERN LEAST MOST FILE: a parser sees LEAST to MOST rows in the table of a program
# with an unusual name, and one of them matches.
rows_parsed() {
	local forger=$'/tmp/x\n9 0 1 1 0 sh' rows count
	ln -sf /bin/bash "$forger" && rows=$("$forger" -c 'echo "$(<"$0")"' "$4" |
		grep -E '^ *[0-9]+ +[0-9]+ +[01] +[0-9]+ +[0-9]+ +[^ ]') || return
	count=$(grep -c . <<<"$rows")
	[ "$count" -ge "$2" ] && [ "$count" -le "$3" ] && grep -qE "$1" <<<"$rows" && return
	echo "# ${rows//$'\n'/$'\n'# }"
	return 1
}

# with_short_hang_timeout COMMAND...: meanwhile the kernel reports hung tasks after one second.
with_short_hang_timeout() {
	local result=0 before
	before=$(<"$hung_task") && echo 1 >"$hung_task" || return
	"$@" || result=$?
	echo "$before" >"$hung_task"
	return "$result"
}

# Unloads a module whose tasklets nobody can enable any more. There is no limit on the time.
kill_disabled_in_rust() {
	insmod "$leaking_ko" disabled=1 && rmmod unload_test
}

# In C that never ends, until another process helps.
kill_disabled_in_c() {
	local hung result=0
	cat /proc/jitasklet_c &
	hung=$!
	timeout 1000 grep -m 1 -oE "task cat:$hung blocked for more than.*" /dev/kmsg |
		sed 's/^/# /' || result=1
	in_c enable cat /proc/jitasklet_c && wait "$hung" && return "$result"
}

symbols=/tmp/defects.symbols
cut -d ' ' -f 2,3 /proc/kallsyms >"$symbols" &&
	insmod "$1/jitasklet.ko" && insmod "$1/tests/kernel/jitasklet_c.ko" || exit

plan 13
check 'C: without a defect the kernel is silent' c_without_defect

pair debug_smp_processor_id 'BUG: using smp_processor_id\(\) in preemptible' cpu \
	'asking for the CPU where it may change' reads
check 'Rust: a name cannot forge a row' rows_parsed ' x\\0129 0 1 1 0 sh$' 6 6 /proc/jitasklet
check 'C: a name forges a row' in_c forge rows_parsed '^9 0 1 1 0 sh$' 7 12 /proc/jitasklet_c

# From here on, leaks are intended.
leaks
leak_names=('C: a leak by an interrupted read is caught' 'Rust: an interrupted read leaks nothing')
if [ -e "$kmemleak" ]; then
	splat 'kmemleak: [0-9]+ new suspected' "${leak_names[0]}" storms
	check "${leak_names[1]}" only_c_leaked
else
	skip "${leak_names[0]}" 'this kernel has no kmemleak'
	skip "${leak_names[1]}" 'this kernel has no kmemleak'
fi

hang_names=('Rust: a kill of a disabled tasklet ends'
	'C: a kill of a disabled tasklet hangs, which is caught')
if [ -e "$hung_task" ]; then
	check "${hang_names[0]}" kill_disabled_in_rust
	splat 'INFO: task cat:[0-9]+ blocked for more than' "${hang_names[1]}" \
		with_short_hang_timeout in_c hang kill_disabled_in_c
else
	skip "${hang_names[0]}" 'this kernel does not detect hung tasks'
	skip "${hang_names[1]}" 'this kernel does not detect hung tasks'
fi

# Lockdep is off after such reports, so they come last.
pair __might_sleep \
	'BUG: sleeping function called|WARNING: inconsistent lock state|at __might_sleep\+' sleep \
	'a sleep in the callback' reads
pair kasan_report 'KASAN: slab-use-after-free' free 'a free of a scheduled tasklet' storm
rmmod jitasklet
end
