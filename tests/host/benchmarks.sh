#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# benchmarks.sh OUT: the benchmarks build and run, and results.json is well-formed. The figures are
# not judged, because the guest is busy.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
bench=build/${out##*/}/bench
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

measure() {
	{
		cat "$top/$bench/sizes"
		"$top/scripts/guest.sh" "$out" bench-smoke 300 \
			bash bench/measure.sh "$bench" counts 1 crowd 1
	} >"$tmp/lines"
}

# results [VARIABLE=VALUE]: prints the table, and writes results.json.
results() {
	awk -v json="$tmp/results.json" -v release="${out##*/}" ${1:+-v "$1"} \
		-f "$top/bench/results.awk" "$tmp/lines"
}

well_formed() {
	local number='-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?' text='"[^"\\]*"' row
	row="^    \{\"name\": $text, \"unit\": $text, \"rust\": $number, \"c\": $number,"
	row+=" \"ratio\": $number, \"spread\": $number, \"target\": $number,"
	row+=" \"met\": (true, \"why\": \"\"|false, \"why\": $text)\},?$"

	results lenient=1 | sed 's/^/# /' && [ "$(wc -l <"$tmp/results.json")" = 27 ] &&
		head -n 1 "$tmp/results.json" | grep -qE "^\{\"kernel\": $text, \"results\": \[$" &&
		[ "$(grep -cE "$row" "$tmp/results.json")" = 25 ] &&
		[ "$(tail -n 1 "$tmp/results.json")" = ']}' ]
}

missing() {
	sed -i '/^bytes/d' "$tmp/lines"
	fails_with 'there is no figure for \(h\)' results lenient=1
}

missed() {
	echo 'bytes jitasklet 1 2' >>"$tmp/lines"
	echo 'bytes jitasklet_c 1 1' >>"$tmp/lines"
	fails_with 'no known reason for missing the target: \(h\)' results
}

plan 5
check 'the benchmarks build' "$top/scripts/build-bench.sh" "$out"
check 'everything is measured' measure
check 'results.json is well-formed' well_formed
check 'a figure that is missing is an error' missing
check 'a target that is missed for no reason is an error' missed
end
