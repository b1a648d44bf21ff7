#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# compile-misuses.sh RUSTC: compiles all misuses of tests/compile-fail/ and their twins, with the
# command line RUSTC, as far as the borrow checker, which is before any code is generated. On
# standard output is an archive of what rustc said of each, in FILE.said, and its exit status, in
# FILE.status. Runs in the build root.

set -euo pipefail

export rustc=${1?"usage: compile-misuses.sh RUSTC"}

compile() {
	local status=0
	sh -c "$rustc"' -L . --emit=metadata --out-dir . --error-format=short "$1"' sh "$1" \
		2>"${1##*/}.said" || status=$?
	echo "$status" >"${1##*/}.status"
}
export -f compile

mkdir -p "$TMPDIR"/{out,top/tests}
cp -r /jitasklet/tests/compile-fail "$TMPDIR/top/tests/cases"
ln -s /jitasklet/*.rs "$TMPDIR/top"
cases=$TMPDIR/top/tests/cases
cd "$TMPDIR/out"

# The wrappers are compiled once, as a crate, which takes the place of the line "pub mod common;" in
# a copy of each. The pairs that implement a trait of core for them have that line with a comment.
sh -c "$rustc --emit=metadata --crate-name common --out-dir . $cases/common.rs"
for file in "$cases"/*.rs; do
	[ "$file" != "$cases/common.rs" ] || continue
	sed -i 's/^pub mod common;$/extern crate common;/' "$file"
	twin=${file%.rs}-ok.rs
	sed '/^ *\/\/ ok: /{ N; s,// ok: \(.*\)\n.*,\1,; /^ *no line$/d }' "$file" >"$twin"
	printf '%s\n' "$file" "$twin"
done | xargs -P "$(nproc)" -I {} bash -c 'compile {}'
tar -c ./*.said ./*.status
