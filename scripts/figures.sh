#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# figures.sh: fills the blocks of README.md and docs/ that show a command's output. A block NAME is
# between the lines "<!-- figures: NAME -->" and "<!-- end -->"; the function NAME below prints
# it. This runs the demo, and takes the figures that the last 'make bench' left.
# figures.sh FILE NAME: prints the current block NAME of FILE.

. "${BASH_SOURCE[0]%/*}/lib.sh"

block() {
	awk -v name="$2" '$0 == "<!-- end -->" { its = 0 }
		its
		$0 == "<!-- figures: " name " -->" { its = 1 }' "$top/$1"
}

# The tables of one of the two files.
demo() {
	local said
	said=$("$top/scripts/demo.sh" cloud) || return
	echo '```'
	awk -v RS= '/^Every CPU is idle/ { on = 1 }
		on && !/jitasklethi/ { print sep $0; sep = "\n" }' <<<"$said"
	echo '```'
}

# What does not depend on how fast or busy the machine is, without most of the numbers of readers.
bench() {
	local results=$top/build/bench
	[ -e "$results/results.json" ] ||
		die "there are no figures of the benchmarks." "Type: make bench figures"
	echo '```'
	awk -f "$top/bench/results.awk" "$results/lines" |
		awk '/^$/ { exit } !/on 2 CPUs|counted: (2|4|8|16|32) /'
	echo '```'
	echo
	sed -nE 's/.*"kernel": "([^"]*)".*/Linux \1, on emulated CPUs./p' "$results/results.json"
}

if [ $# -eq 2 ]; then
	block "$@"
	exit
fi

fill() {
	local new
	new=$("$2") || exit
	awk -v name="$2" -v new="$new" '$0 == "<!-- end -->" { its = 0 }
		!its
		$0 == "<!-- figures: " name " -->" { its = 1; print new }' "$top/$1" >"$top/$1.new"
	mv "$top/$1.new" "$top/$1"
}

fill README.md demo
fill docs/performance.md bench
