#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh KERNEL [KVER]: measures what tasklets cost in Rust and in C, prints a table, and writes
# it to build/bench as results.json, with pictures. docs/performance.md says what the figures mean.
#
# Exits non-zero if something could not be measured, if the kernel reported a problem, or if a
# figure misses its target for no known reason.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$("$top/scripts/build.sh" "$@")
release=${out##*/}
build=build/$release/bench
results=$top/build/bench
mkdir -p "$results"

# A guest whose clock counts instructions has one CPU.
measure() {
	cat "$top/$build/sizes"
	"$top/scripts/guest.sh" --icount "$out" bench-counts 1800 \
		bash bench/measure.sh "$build" counts 9 &&
		"$top/scripts/guest.sh" "$out" bench-crowd 1800 \
			bash bench/measure.sh "$build" crowd 11
}

"$top/scripts/build-bench.sh" "$out"
measure >"$results/lines" || die "not everything could be measured: see above."

status=0
awk -v json="$results/results.json" -v release="$release" -f "$top/bench/results.awk" \
	"$results/lines" || status=$?
"$top/scripts/enter.sh" --layer plot "$out/tree" \
	python3 /jitasklet/bench/plot.py /jitasklet/build/bench </dev/null ||
	die "the pictures could not be drawn: see above."
say "build/bench has results.json and the pictures"
exit "$status"
