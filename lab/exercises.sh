#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# exercises.sh MODULE: checks which exercises of docs/lab.md are done, in the guest. Prints a result
# for each, as in KTAP, and the reason.

set -uo pipefail
. "${BASH_SOURCE[0]%/*}/ftrace.sh"

: "${1?"usage: exercises.sh MODULE"}"

number=0 passed=0 begun=0
runs=12

# exercise NAME FUNCTION: the function prints a sentence, and fails if the exercise is not done:
# with 2 if it is not begun.
exercise() {
	local sentence result=ok status=0
	number=$((number + 1))
	sentence=$("$2") || status=$?
	[ "$status" = 0 ] || result='not ok'
	passed=$((passed + (status == 0)))
	begun=$((begun + (status != 2)))
	printf '%s %s %s\n# %s\n' "$result" "$number" "$1" "$sentence"
}

# read_file FILE: reads the file in /proc, into $text.
read_file() {
	[ -e "/proc/$1" ] || {
		echo "There is no /proc/$1 yet."
		return 2
	}
	text=$(timeout 200 cat "/proc/$1") || {
		echo "/proc/$1 cannot be read, or not within 200 s."
		return 1
	}
}

# count_events EVENT FILE: reads the file, and counts the module's events of this kind meanwhile, in
# $count.
count_events() {
	begin_trace counter "$1" && read_file "$2" && end_trace || return
	count=$(read_trace 'text ~ /\[jitasklet\]/ { n++ } END { print n + 0 }')
}

more_runs() {
	local file rows
	for file in jitasklet jitasklethi; do
		read_file "$file" || return
		rows=$(($(wc -l <<<"$text") - 2))
		if [ "$rows" != "$runs" ]; then
			echo "/proc/$file shows $rows runs of the tasklet, and should show $runs."
			[ "$rows" != 5 ] || return 2
			return 1
		fi
	done
	echo "Both files show $runs runs of the tasklet."
}

# match_line PATTERN: finds a line of $text that matches, and puts its groups in $found.
match_line() {
	local line
	while IFS= read -r line; do
		[[ $line =~ ^$1$ ]] && found=("${BASH_REMATCH[@]:1}") && return
	done <<<"$text"
	echo "No line looks like '${1//(\[0-9\]+)/N}'. The file says: ${text//$'\n'/ / }"
	return 1
}

n='([0-9]+)'

coalesced() {
	local disabled enabled
	count_events irq:tasklet_entry jitcount || return
	match_line "disabled: 100 schedules, $n runs, $n coalesced" || return
	disabled=("${found[@]}")
	match_line "enabled: 100 schedules, $n runs, $n coalesced" || return
	enabled=("${found[@]}")
	if [ "${disabled[*]}" != '1 99' ]; then
		echo "While disabled, 100 schedules make 1 run, and not ${disabled[0]}."
	elif [ $((enabled[0] + enabled[1])) != 100 ] || [ "${enabled[0]}" = 0 ]; then
		echo "${enabled[0]} runs and ${enabled[1]} coalesced do not make 100 schedules."
	elif [ "$count" != $((disabled[0] + enabled[0])) ]; then
		echo "The file says ${disabled[0]} + ${enabled[0]} runs, the kernel's trace $count."
	else
		echo "1 run while disabled, ${enabled[0]} while not: the kernel's trace agrees."
		return 0
	fi
	return 1
}

race() {
	local reader tasklet
	read_file jitrace || return
	match_line "from the reader: hi first $n, normal first $n" || return
	reader=("${found[@]}")
	match_line "from a tasklet: hi first $n, normal first $n" || return
	tasklet=("${found[@]}")
	if [ $((reader[0] + reader[1])) != 100 ] || [ $((tasklet[0] + tasklet[1])) != 100 ]; then
		echo "Each line should be on 100 races: ${reader[*]}; ${tasklet[*]}."
	elif [ "${tasklet[0]}" != 100 ]; then
		echo "Scheduled by a tasklet, high priority wins all of 100 races, and not" \
			"${tasklet[0]}: who can come between the two schedules?"
	else
		echo "Scheduled by a tasklet, high priority won 100 of 100; by the reader," \
			"${reader[0]} of 100."
		return 0
	fi
	return 1
}

bh() {
	count_events workqueue:workqueue_execute_start jitbhcount || return
	match_line "bh: 100 schedules, $n runs, $n coalesced" || return
	if [ $((found[0] + found[1])) != 100 ] || [ "${found[0]}" = 0 ]; then
		echo "${found[0]} runs and ${found[1]} coalesced do not make 100 schedules."
	elif [ "$count" != "${found[0]}" ]; then
		echo "The file says ${found[0]} runs, the kernel's trace of workqueues $count."
	else
		echo "${found[0]} runs of the BH work item: the kernel's trace has as many."
		return 0
	fi
	return 1
}

insmod "$1" || exit
echo 'KTAP version 1'
echo 1..4
exercise 'runs: the tasklet runs more often' more_runs
exercise 'count: coalesced schedules' coalesced
exercise 'race: high against normal priority' race
exercise 'bh: the count, of a BH work item' bh
rmmod jitasklet

if [ "$begun" = 0 ]; then
	echo '# No exercise is done yet: docs/lab.md says what there is to do.'
else
	echo "# $passed of 4 exercises are done."
fi
[ "$passed" = 4 ]
