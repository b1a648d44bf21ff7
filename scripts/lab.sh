#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab.sh: runs the experiments of lab/ in two guests, with the ordinary and the PREEMPT_RT kernel,
# and makes build/lab/report.html of what they saw.

. "${BASH_SOURCE[0]%/*}/lib.sh"

where=$top/build/lab
began=$SECONDS
failed=0
rm -rf --one-file-system "$where"
mkdir -p "$where"

# The guest's progress, as it comes; what follows the line "data:" is kept.
progress() {
	awk -v data="$1" 'go { print >data; next } /^data:/ { go = 1; next } { print; fflush() }'
}

# run KERNEL EXPERIMENT...
run() {
	local out data
	out=$("$top/scripts/build.sh" "$1")
	shift
	data=$where/${out##*/}
	mkdir "$data"
	"$top/scripts/guest.sh" --load "$out" lab 2400 bash lab/run-all.sh "$@" |
		progress "$data/base64" || failed=1
	[ -s "$data/base64" ] ||
		die "the experiments did not finish on ${out##*/}: see above."
	base64 -d "$data/base64" | tar -xz -C "$data"
	rm "$data/base64"
	tree=$(realpath "$out/tree")
}

run cloud idle busy hog hi pinned two rt compile
run rt idle pinned two rt

say "making the pictures and the page ..."
"$top/scripts/enter.sh" --layer plot "$tree" \
	python3 -B /jitasklet/lab/report.py /jitasklet/build/lab </dev/null
say "made build/lab/report.html, and pictures beside it, in $((SECONDS - began)) s"
[ "$failed" = 0 ] || die "an experiment failed, and is not in the report: see above."
