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

# suite KERNEL NAME COMMAND...: a suite fails also if all its results are good and it exits
# non-zero: a guest may die after its last test.
suite() {
	local kernel=$1 name=$2 ktap=$results/$2-$1.ktap began=$SECONDS status=0 counts p f s
	shift 2
	printf '\n# %s: %s\n' "$kernel" "$name"
	"$@" </dev/null | tee "$ktap" || status=$?
	counts=$("$top/scripts/ktap.sh" "$kernel: $name" "$ktap")
	read -r p f s <<<"$counts"
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		printf '    %s: %s: not ok: its exit status is %s\n' "$kernel" "$name" "$status" >&2
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	summary+=("$(printf '%-28s %-13s %6d %6d %7d %5d s' \
		"$kernel" "$name" "$p" "$f" "$s" $((SECONDS - began)))")
}

# guest_suites "SUITES" KERNEL [KVER]: the suites that run in a guest of that kernel. The load is a
# thousandth of that in stress.sh.
guest_suites() {
	local out release name names=$1 options share
	shift
	if out=$("$top/scripts/build.sh" "$@") && "$top/scripts/build-tests.sh" "$out"; then
		release=${out##*/}
		for name in $names; do
			options=() share=()
			case $name in
			load) options=(--load) share=(1000) ;;
			proc) options=(--load) ;;
			signature) options=(--append module.sig_enforce=1) ;;
			esac
			suite "$release" "$name" "$top/scripts/guest.sh" "${options[@]}" "$out" \
				"$name" 1800 bash "tests/guest/$name.sh" "build/$release" \
				"${share[@]}"
		done
	else
		suite "$*" build false
	fi
}

case ${1-} in
all)
	versions=$("$top/scripts/kernels.sh" list | sed -nE 's/^[a-z]+ +([0-9]+\.[0-9]+).*/\1/p' |
		sort -Vu | tail -n 2)
	for version in $versions; do
		for flavour in cloud generic rt; do
			guest_suites 'kernel files trace' "$flavour" "$version"
		done
	done
	;;
debug)
	guest_suites 'kernel files trace faults load proc security peer signature' debug
	suite debug initramfs "$top/tests/host/initramfs.sh" "$top/build/debug"
	;;
*)
	suite host lint "$top/scripts/lint.sh"
	guest_suites 'kernel files trace lab load proc security' cloud
	guest_suites 'kernel files trace lab load' rt
	suite host doc "$top/tests/host/doc.sh" "$top/build/cloud"
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
