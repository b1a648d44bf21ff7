#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh: runs every suite that a change must pass, on the newest ordinary and PREEMPT_RT kernels,
# prints their KTAP as it comes (and keeps it in build/check/), and closes with the sum in a line.
# check.sh all: the suites of the guest, on all flavours of the two newest Linux versions.
# check.sh debug: the suites of the guest, and those that need it, on the debug kernel.
#
# Exits non-zero if anything failed.

. "${BASH_SOURCE[0]%/*}/lib.sh"

results=$top/build/check${1:+-$1}
rm -rf "$results"
mkdir -p "$results"
summary=()
passed=0 failed=0 skipped=0

# counted KERNEL NAME STATUS SECONDS: a suite fails also if all its results are good and it ended
# with a non-zero status: a guest may die after its last test.
counted() {
	local kernel=$1 name=$2 status=$3 counts p f s
	counts=$("$top/scripts/ktap.sh" "$kernel: $name" "$results/$name-$kernel.ktap")
	read -r p f s <<<"$counts"
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		printf '    %s: %s: not ok: its exit status is %s\n' "$kernel" "$name" "$status" >&2
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	summary+=("$(printf '%-28s %-13s %6d %6d %7d %5d s' \
		"$kernel" "$name" "$p" "$f" "$s" "$4")")
}

# suite KERNEL NAME COMMAND...
suite() {
	local kernel=$1 name=$2 began=$SECONDS status=0
	shift 2
	printf '\n# %s: %s\n' "$kernel" "$name"
	"$@" </dev/null | tee "$results/$name-$kernel.ktap" || status=$?
	counted "$kernel" "$name" "$status" $((SECONDS - began))
}

# guest_suites KERNEL KVER "SUITES"...: the suites that run in a guest of that kernel, those of one
# word list in the same guest. A boot of the debug kernel takes longer than most suites.
guest_suites() {
	local kernel=$1 version=$2 out names
	shift 2
	if out=$("$top/scripts/build.sh" "$kernel" "$version") &&
		"$top/scripts/build-tests.sh" "$out"; then
		for names; do
			guest "$out" "$names"
		done
	else
		suite "$kernel${version:+ $version}" build false
	fi
}

guest() {
	local out=$1 release=${1##*/} names name options=() all ktap status=0 its seconds
	read -ra names <<<"$2"
	case $2 in
	*load* | *proc*) options=(--load) ;;
	signature) options=(--append module.sig_enforce=1) ;;
	esac
	all=$results/guest-${names[0]}-$release
	printf '\n# %s: %s\n' "$release" "$2"
	"$top/scripts/guest.sh" "${options[@]}" "$out" "${names[0]}" 2400 \
		bash tests/guest/all.sh "build/$release" "${names[@]}" </dev/null |
		tee "$all" || status=$?

	for name in "${names[@]}"; do
		ktap=$results/$name-$release.ktap
		tr -d '\r' <"$all" |
			awk -v name="$name" '/^# suite / { its = $3 == name } its' >"$ktap"
		read -r its seconds <<<"$(awk '/^# ended with / { print $4, $6 }' "$ktap")"
		its=${its:-1}
		# A guest that failed although its suites did not, died after the last of them.
		[ "$its" -eq 0 ] || status=0
		[ "$name" != "${names[-1]}" ] || its=$((its + status))
		counted "$release" "$name" "$its" "${seconds:-0}"
	done
}

case ${1-} in
all)
	versions=$("$top/scripts/kernels.sh" list | sed -nE 's/^[a-z]+ +([0-9]+\.[0-9]+).*/\1/p' |
		sort -Vu | tail -n 2)
	for version in $versions; do
		for flavour in cloud generic rt; do
			guest_suites "$flavour" "$version" 'kernel files trace'
		done
	done
	;;
debug)
	# What 'faults' sets for stacks, 'trace' would see in its events, and what 'kernel' leaks on
	# purpose would be found in what comes after it.
	guest_suites debug '' 'files trace security faults kernel' 'load proc' peer signature
	suite debug initramfs "$top/tests/host/initramfs.sh" "$top/build/debug"
	;;
*)
	suite host lint "$top/scripts/lint.sh"
	guest_suites cloud '' 'kernel files lab trace security' 'load proc'
	guest_suites rt '' 'kernel files lab trace' load
	suite host doc "$top/tests/host/doc.sh" "$top/build/cloud"
	suite host kdir "$top/tests/host/kdir.sh" "$top/build/cloud"
	suite host helpers "$top/tests/host/helpers.sh" "$top/build/cloud"
	suite host compile-fail "$top/tests/host/compile-fail.sh" "$top/build/cloud"
	suite host model "$top/tests/host/model.sh" "$top/build/cloud"
	suite host bench "$top/tests/host/bench.sh" "$top/build/cloud"
	suite host input "$top/tests/host/input.sh"
	suite host lab "$top/tests/host/lab.sh"
	suite host runner "$top/tests/host/runner.sh" "$top/build/cloud"
	;;
esac

printf '\n%-28s %-13s %6s %6s %7s\n' kernel suite passed failed skipped
printf '%s\n' "${summary[@]}"
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
