#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# compile-fail.sh OUT: misuse does not compile. In each tests/compile-fail/NAME.rs the line after
# "// ok: LINE" is wrong. Its twin, which is made here, has LINE instead, or no line for "// ok: no
# line". The twin must compile; and rustc must reject the misuse with no other error than the line
# "// error: " names, by its code, or by its text if it has none.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
tree=$out/tree
cases=$top/tests/compile-fail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# rustc as Kbuild called it for the module, without its input and output. The kernel's Makefile
# exports RUSTC_BOOTSTRAP, for the unstable features.
rustc=$(sed -n 's/^savedcmd_jit_tasklet\.o := \(.*\) --out-dir .*/\1/p' "$out/.jit_tasklet.o.cmd")
[ -n "$rustc" ] || die "there is no call of rustc in $out/.jit_tasklet.o.cmd."

names=$(cd "$cases" && printf '%s\n' *.rs | sed 's/\.rs$//; /^common$/d')

# What rustc said of each file is in FILE.said in the end, and its exit status in FILE.status.
compile() {
	"$top/scripts/enter.sh" "$tree" env RUSTC_BOOTSTRAP=1 \
		/jitasklet/tests/buildroot/compile-misuses.sh "$rustc" | tar -x -C "$tmp"
}

# explain WHAT [FILE]: prints why a test fails, with the errors that rustc found in that file.
explain() {
	echo "# $1"
	[ $# -eq 1 ] || grep -F error "$tmp/$2.said" | sed 's/^/# /'
	return 1
}

# The first line of the documentation: the rule that the misuse breaks.
rule() {
	sed -n 's,^//! \(.*\)\.$,\1,p' "$cases/$1.rs" | head -n 1
}

# All errors that rustc found in a file, without their count.
errors() {
	grep -E '(^|: )error(\[E[0-9]+\])?: ' "$tmp/$1.said" | grep -v '^error: aborting due to '
}

pair() {
	local bad=$1.rs ok=$1-ok.rs expected line

	expected=$(sed -n 's,^// error: ,,p' "$cases/$bad")
	[ -n "$expected" ] || { explain "$bad names no error"; return; }
	[ "$(grep -c '^ *// ok: ' "$cases/$bad")" = 1 ] ||
		{ explain "$bad does not have one line '// ok: '"; return; }

	[ "$(cat "$tmp/$ok.status")" = 0 ] || { explain "$ok does not compile:" "$ok"; return; }
	[ "$(cat "$tmp/$bad.status")" = 1 ] || { explain "$bad compiles" "$bad"; return; }

	[ -n "$(errors "$bad")" ] || { explain "$bad has no error:" "$bad"; return; }
	while read -r line; do
		case $line in
		*": error[$expected]: "* | *": error: "*"$expected"*) ;;
		*) explain "$bad should have no error but $expected:" "$bad"; return ;;
		esac
	done < <(errors "$bad")
}

plan "$(wc -w <<<"$names")"
compile
for name in $names; do
	check "$(rule "$name") ($name)" pair "$name"
done
end
