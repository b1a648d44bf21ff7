#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bisect.sh SUITE...: builds the kernel in the current directory, and tests it with suites of the
# guest. git calls it in the kernel's tree, by 'git bisect run'; make would change the status. See
# docs/your-kernel.md.
#
# The kernel is configured by .config (in KBUILD_OUTPUT, if that is set), which stays as it is.
# LLVM= and RUSTC= choose compilers, as for the kernel; LIMIT= is how many seconds a guest may take.
#
# Exits, as git bisect wants it, with
#     0       the suites passed
#     1       a test failed, the kernel complained, or it crashed or hung after the tests began
#     125     the kernel or the module did not build, no test began, or all tests were skipped
#     128     something else failed: the host, or the way in which this was called

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/compilers.sh"

status=128 saved=''
finish() {
	# Newer than what was made of it, so that the next build looks at it.
	[ -z "$saved" ] || { touch "$saved" && mv "$saved" "$kdir/.config"; }
	exit "$status"
}
trap finish EXIT

# verdict STATUS WHAT...
verdict() {
	status=$1
	say "bisect: $commit: ${*:2}"
	exit
}

[ $# -ge 1 ] || usage
kdir=${KBUILD_OUTPUT:-$PWD}
[ -e MAINTAINERS ] ||
	die "this is not the tree of a kernel: $PWD." \
		"Call bisect.sh in the directory to be bisected."
[ -e "$kdir/.config" ] ||
	die "$kdir has no configuration (.config)." "See docs/your-kernel.md for how to make one."
for suite; do
	[ -e "$top/tests/guest/$suite.sh" ] ||
		die "there is no suite $suite." "tests/README.md lists those of the guest."
done
[ ! -e "$kdir/.config.bisect" ] ||
	die "an earlier bisect.sh was killed, and left the configuration in $kdir/.config.bisect." \
		"To go on with that: mv $kdir/.config.bisect $kdir/.config"
"$top/scripts/kconfig.sh" --guest "$kdir"
need_namespaces "booting a guest"
make_cache
roots=(emulator guest)
[[ " $* " != *' load '* && " $* " != *' proc '* ]] || roots+=(load)
for root in "${roots[@]}"; do
	"$top/scripts/root.sh" "$root" >/dev/null
done

commit=$(git describe --always --abbrev=12 --exclude='*')
logs=$top/build/bisect/$commit
mkdir -p "$logs"

# kernel ARGUMENT...
kernel() {
	make -j"$(nproc)" "$(compiler_of "$kdir")" ${RUSTC:+RUSTC="$RUSTC"} "$@"
}

# step NAME WHAT COMMAND...: a step whose failure means that this commit cannot be tested.
step() {
	local log=$logs/$1.log what=$2
	shift 2
	"$@" >"$log" 2>&1 </dev/null && return
	! grep -q 'No space left on device' "$log" || die "the disk is full." "The log: $log"
	verdict 125 "$what did not build: $log"
}

# What this commit makes of the configuration must not stay for the next one.
cp -p "$kdir/.config" "$kdir/.config.bisect"
saved=$kdir/.config.bisect
step config 'the configuration' kernel olddefconfig
step kernel 'the kernel' kernel bzImage modules

failed=''
SUITES=$* KERNEL=$kdir "$top/scripts/check.sh" check >"$logs/check.log" 2>&1 </dev/null || failed=1
cat "$top"/build/check/*.ktap >"$logs/ktap" 2>/dev/null || true
trouble='guest did not start: virtiofsd|No space left on device|no such suite'
if grep -qE "$trouble" "$logs/check.log"; then
	tail -n 5 "$logs/check.log" >&2
	die "the tests could not be started." "The log: $logs/check.log"
elif ! grep -q '^# suite ' "$logs/check.log"; then
	verdict 125 "the module did not build, or no test began: $logs/check.log"
elif [ -n "$failed" ]; then
	sed -n '/^What failed:$/,$p' "$logs/check.log" >&2
	verdict 1 "bad: $logs/check.log"
elif ! grep '^ok ' "$logs/ktap" | grep -v '# SKIP' >"$logs/passed"; then
	verdict 125 "all tests were skipped: $logs/check.log"
fi
verdict 0 "good: $(tail -n 1 "$logs/check.log")"
