#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# report.sh OUT: a command that fails leaves build/report.txt, which has what it said and the logs
# that it named, but no passwords and no names of the user's directories. A command that succeeds
# leaves none.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
flavour=$(cut -d ' ' -f 2 "$out/tree/release")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-report.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# All of this is in the home of somebody else.
home=$tmp/alice-in-chains
copy=$home/checkout
mkdir -p "$home/mine"
copy_checkout "$copy"
mkdir "$copy/build"
cp -a "$out" "$copy/build"
ln -s "${out##*/}" "$copy/build/$flavour"

# makes STATUS ARGUMENT...: runs make there, as if by itself. It must succeed (0), or fail (1) and
# name the report.
makes() {
	local status=0
	env -u JIT_REPORTS HOME="$home" JIT_CACHE="$cache" make -C "$copy" "${@:2}" \
		>"$tmp/said" 2>&1 </dev/null || status=$?
	[ $((status > 0)) = "$1" ] &&
		[ "$1" = "$(grep -c 'report.txt has what a report' "$tmp/said")" ] && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# has PATTERN...: the report has lines like these, and no name that it should not have.
has() {
	local pattern file=$copy/build/report.txt
	for pattern; do
		grep -qE "$pattern" "$file" && continue
		echo "# there is no $pattern in:"
		sed 's/^/# /' "$file"
		return 1
	done
	! grep -nE "alice|geheim|$home|$cache" "$file" | sed 's/^/# /' | grep .
}

about_an_archive() {
	makes 1 kernels SUITE=sid MIRROR=http://alice:geheim@127.0.0.1:9/debian STALE_OK=1 &&
		has "^'make kernels .*' ended with" 'it cannot be reached' \
			'^=+ CACHE/log/apt-update.log' 'Could not connect' \
			'^jitasklet: .*version [0-9]' \
			'^system: ' '^make: GNU Make' 'ok  x86-64'
}

about_a_compilation() {
	echo 'obj-m := mine.o' >"$home/mine/Kbuild"
	echo 'int f(void) { return undeclared; }' >"$home/mine/mine.c"
	makes 1 KERNEL="$flavour" M="$home/mine" &&
		has "^'make (M=M )?KERNEL=$flavour( M=M)?' ended" 'M/mine.c:1.*undeclared' \
			'^CONFIG_RUSTC_VERSION='
}

about_a_guest() {
	cat >"$home/mine/mine.c" <<-END
		#include <linux/module.h>
		static int __init start(void) { panic("the end of mine"); }
		module_init(start);
		MODULE_LICENSE("GPL");
		MODULE_DESCRIPTION("bad");
	END
	makes 1 demo KERNEL="$flavour" M="$home/mine" &&
		has '^=+ (./)?build/.*/m/mine/demo.console' 'Kernel panic .*the end of mine'
}

about_a_test() {
	{
		echo '. "${BASH_SOURCE[0]%/*}/../ktap.sh"; plan 1'
		echo 'echo "# the reason"; check made-up false; end'
	} >"$copy/tests/host/errors.sh"
	makes 1 check SUITES=errors &&
		has '^0 passed, 1 failed' 'build/check/errors-host.ktap ==' '^# the reason'
}

none() {
	makes 0 kernels && [ ! -e "$copy/build/report.txt" ]
}

# All but those that only remove or print something.
every_command() {
	local name missing=0
	while read -r name; do
		[[ " clean prune distclean help doctor " = *" $name "* ]] ||
			make -C "$copy" -n "$name" | grep 'scripts/run.sh' >/dev/null ||
			{ echo "# make $name leaves no report"; missing=1; }
	done < <(sed -nE 's/^([a-z_-]+):.*## .*/\1/p' "$copy/Makefile")
	return "$missing"
}

plan 6
check 'about an archive, with a password in its address' about_an_archive
check 'about a compilation' about_a_compilation
check 'about a guest that crashed' about_a_guest
check 'about a test that failed' about_a_test
check 'a command that succeeds leaves none' none
check 'every command can leave one' every_command
end
