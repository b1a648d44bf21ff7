#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh: runs every suite that a change must pass, prints their KTAP as it comes (and keeps it in
# build/check/), and closes with the sum in one line. Exits non-zero if anything failed.

. "${BASH_SOURCE[0]%/*}/lib.sh"

results=$top/build/check
rm -rf "$results"
mkdir -p "$results"
summary=()
passed=0 failed=0 skipped=0

# suite NAME COMMAND...: a suite fails also if all its results are good and it exits non-zero: a
# guest may die after its last test.
suite() {
	local name=$1 ktap=$results/$1.ktap began=$SECONDS status=0 counts p f s
	shift
	printf '\n# %s\n' "$name"
	"$@" </dev/null | tee "$ktap" || status=$?
	counts=$("$top/scripts/ktap.sh" "$name" "$ktap")
	read -r p f s <<<"$counts"
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		printf '    %s: not ok: it ended with exit status %s\n' "$name" "$status" >&2
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	summary+=("$(printf '%-16s %6d %6d %7d %6d s' "$name" "$p" "$f" "$s" $((SECONDS - began)))")
}

# guest_suites FLAVOUR: the suites that run in a guest.
guest_suites() {
	local flavour=$1 out
	if out=$("$top/scripts/build.sh" "$flavour") && "$top/scripts/build-tests.sh" "$out"; then
		suite "files-$flavour" "$top/scripts/guest.sh" "$out" files 600 \
			bash tests/guest/files.sh "build/${out##*/}"
	else
		suite "build-$flavour" false
	fi
}

suite lint "$top/scripts/lint.sh"
guest_suites cloud
guest_suites rt
suite input "$top/tests/host/input.sh"
suite runner "$top/tests/host/runner.sh" "$top/build/cloud"

printf '\n%-16s %6s %6s %7s\n' suite passed failed skipped
printf '%s\n' "${summary[@]}"
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
