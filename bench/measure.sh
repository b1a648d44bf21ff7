#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# measure.sh BUILD WHAT TURNS...: the measurements, in the guest. Prints lines of
#     NAME MODULE-OR-FILE HOW-OFTEN FIGURE
# where the figure is nanoseconds, bytes, or reads per second. WHAT is
#     counts   (a) to (f), (h), and (g) on one CPU: for a guest whose clock counts instructions
#     crowd    (g), for a guest with its CPUs
# and each is measured in TURNS turns, C and Rust alternately, after a warm-up that prints nothing.

set -euo pipefail

: "${3?"usage: measure.sh BUILD WHAT TURNS..."}"

build=$1
files=(/proc/jitasklet_c /proc/jitasklet)
shift

load() {
	insmod "$build/jitasklet.ko"
	insmod "$build/jitasklet_c.ko" "$@"
}

unload() {
	rmmod jitasklet jitasklet_c
}

counts() {
	local turn module
	insmod "$build/bench_c.ko"
	insmod "$build/bench_rust.ko"
	for turn in $(seq 0 "$1"); do
		for module in bench_c bench_rust; do
			# Not with the shell's read: it seeks back after each line, which measures
			# everything again.
			awk -v turn="$turn" -v module="$module" \
				'turn { print $1, module, $2, $3 }' "/proc/$module"
		done
	done
	rmmod bench_c bench_rust

	load
	"$build/run" time 200 "$1" "${files[@]}"
	"$build/run" crowd 30 "$1" "${files[@]}" | sed 's/^/exact-/'
	insmod "$build/bench_probe.ko"
	"$build/run" probe 100 "$1" "${files[@]}"
	rmmod bench_probe
	unload

	load raw=1
	"$build/run" time 200 "$1" "${files[@]}" | sed 's/^/raw-/'
	unload
}

crowd() {
	load
	"$build/run" crowd 100 "$1" "${files[@]}"
	unload
}

while [ $# -gt 0 ]; do
	"$1" "$2"
	shift 2
done
