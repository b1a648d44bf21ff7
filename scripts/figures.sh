#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# figures.sh: fills the blocks of README.md and docs/ that show what a command prints. A block NAME is
# between the lines "<!-- figures: NAME -->" and "<!-- end -->", and the function NAME below prints
# it. Runs the demo; the figures of the benchmarks are those that 'make bench' left.
# figures.sh FILE NAME: prints the block NAME of FILE, as it is.

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
	awk -v RS= '/^Every CPU is idle/ { on = 1 } on && !/jitasklethi/ { print sep $0; sep = "\n" }' \
		<<<"$said"
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
	sed -nE 's/.*"kernel": "([^"]*)".*/Linux \1, on two emulated CPUs./p' "$results/results.json"
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
