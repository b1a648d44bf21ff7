#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stress.sh KERNEL [KVER [SHARE]]: the load of tests/guest/load.sh, its counts divided by SHARE: 20
# on the debug kernel, else 1. Each group of tests has its own guest. A group that passed is not run
# again while the module, the kernel and the tests are the same, so an interrupted run continues
# with the group that it was at. The last lines are a table and a summary.
#
# Exits non-zero if anything failed.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
share=${3:-1}
[ "$1" != debug ] || share=${3:-20}
groups=(crowd busy memory kills reload storm reads)

out=$("$top/scripts/build.sh" "$1" "${2-}")
"$top/scripts/build-tests.sh" "$out"
release=${out##*/}
cd "$top"
made_from=$({
	echo "$share"
	cat "$out"/{jitasklet.ko,vmlinuz,tests/reader} tests/{ktap,guest/load}.sh \
		lab/ftrace.sh scripts/{guest,splats,emulator/boot}.sh
} | hash)
results=$out/stress-$made_from
mkdir -p "$results"
passed=0 failed=0 skipped=0 table=() number=0

# figures GROUP SECONDS: prints a line for each result, with the last comment before it.
figures() {
	awk -v seconds="$2" '
	/^# / { figure = substr($0, 3); next }
	/^(not )?ok [0-9]+ / {
		bad = /^not/
		sub(/^(not )?ok [0-9]+ /, "")
		if (sub(/ # SKIP .*/, ""))
			figure = "skipped"
		printf "%10d %8s  %-55s %s\n", bad, seconds, $0, figure
		figure = seconds = ""
	}' "$results/$1"
}

for group in "${groups[@]}"; do
	number=$((number + 1))
	if [ -e "$results/$group.seconds" ]; then
		say "$number of ${#groups[@]}: $group passed before, and nothing has changed since"
	else
		say "$number of ${#groups[@]}: $group, after $SECONDS s"
		began=$SECONDS status=0
		scripts/guest.sh --load "$out" "stress-$group" 7200 \
			bash tests/guest/load.sh "build/$release" "$share" "$group" |
			tee "$results/$group" || status=$?
	fi
	counts=$(scripts/results.sh "$release" "$group" "$results/$group")
	read -r p f s _ <<<"$counts"
	if [ -e "$results/$group.seconds" ]; then
		seconds=$(<"$results/$group.seconds")
	else
		seconds=$((SECONDS - began))
		if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
			f=1
			say "$group: not ok: its exit status is $status"
		fi
		[ "$f" -gt 0 ] || echo "$seconds" >"$results/$group.seconds"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	table+=("$(figures "$group" "$seconds")")
done

printf '\n%s: every count divided by %d\n%10s %8s  %-55s %s\n' "$release" "$share" \
	deviations seconds test figure
printf '%s\n' "${table[@]}"
echo
summary "$passed" "$failed" "$skipped"
