#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# compile-fail.sh OUT: what must not compile does not. For each misuse tests/compile-fail/NAME.rs
# there is a twin NAME-ok.rs without it. They differ in one line, which the twin has not, or has
# otherwise; the twin compiles; and rustc refuses the misuse with nothing but the error that its
# line '// error: ' names: by its code, or by what it says where it has none.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

out=$(realpath "$1")
tree=$out/tree
cases=$top/tests/compile-fail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# As Kbuild called it for the module, up to where it said what to write and read. The kernel's
# Makefile exports RUSTC_BOOTSTRAP, for the unstable features.
rustc=$(sed -n 's/^savedcmd_jit_tasklet\.o := \(.*\) --out-dir .*/\1/p' "$out/.jit_tasklet.o.cmd")
[ -n "$rustc" ] || die "there is no call of rustc in $out/.jit_tasklet.o.cmd."

# A half of a pair without the other one is a name too, and fails.
names=$(cd "$cases" && printf '%s\n' *.rs | sed 's/\.rs$//; /^common$/d; s/-ok$//' | sort -u)

# All files at once, as far as the borrow checker, which is before any code is generated. For each
# there is in the end what rustc said, in FILE.said, and its exit status, in FILE.status. The
# wrappers are compiled once, as a crate, which takes the place of the line 'pub mod common;' in a
# copy of each. The pairs that implement a trait of core for them have that line with a comment.
compile() {
	"$top/scripts/enter.sh" "$tree" env RUSTC_BOOTSTRAP=1 sh -euc '
		mkdir -p /tmp/out /tmp/top/tests
		cp -r /jitasklet/tests/compile-fail /tmp/top/tests/cases
		ln -s /jitasklet/*.rs /tmp/top
		cd /tmp/out
		sh -c "$1 --emit=metadata --crate-name common --out-dir . \
			/tmp/top/tests/cases/common.rs"
		sed -i "s/^pub mod common;\$/extern crate common;/" /tmp/top/tests/cases/*.rs
		find /tmp/top/tests/cases ! -name common.rs -name "*.rs" |
			xargs -P "$(nproc)" -n 1 sh -c "
			status=0
			$1 -L . --emit=metadata --out-dir . --error-format=short \"\$1\" \
				2>\"\${1##*/}.said\" || status=\$?
			echo \$status >\"\${1##*/}.status\"" sh
		tar -c ./*.said ./*.status' sh "$rustc" | tar -x -C "$tmp"
}

# explain WHAT [FILE]: why it fails, with the errors that rustc found in that file.
explain() {
	echo "# $1"
	[ $# -eq 1 ] || grep -F error "$tmp/$2.said" | sed 's/^/# /'
	return 1
}

# The first line of the documentation: the rule that the misuse breaks.
rule() {
	local file
	for file in "$cases/$1.rs" "$cases/$1-ok.rs"; do
		[ ! -e "$file" ] || sed -n 's,^//! \(.*\)\.$,\1,p' "$file"
	done | head -n 1
}

# All errors that rustc found in a file, but for their sum.
errors() {
	grep -E '(^|: )error(\[E[0-9]+\])?: ' "$tmp/$1.said" | grep -v '^error: aborting due to '
}

pair() {
	local bad=$1.rs ok=$1-ok.rs expected difference line
	[ -e "$cases/$bad" ] || { explain "there is no $bad"; return; }
	[ -e "$cases/$ok" ] || { explain "there is no $ok"; return; }

	expected=$(sed -n 's,^// error: ,,p' "$cases/$bad")
	[ -n "$expected" ] || { explain "$bad names no error"; return; }

	# One line is gone, as in 12d11, or is another, as in 12c12.
	difference=$(diff <(sed '/^\/\/ error: /d' "$cases/$bad") "$cases/$ok" | grep '^[0-9]')
	[[ $difference =~ ^[0-9]+[cd][0-9]+$ ]] ||
		{ explain "$bad and $ok differ in more or less than a line: $difference"; return; }

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
	t "$(rule "$name") ($name)" pair "$name"
done
end
