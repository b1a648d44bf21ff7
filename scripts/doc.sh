#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doc.sh OUT: renders the documentation of the module's crate, with rustdoc against the kernel's
# crates, into build/doc, and compiles the examples in it. Any warning is an error.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
release=${out##*/}
mkdir -p "$top/build/doc"

"$top/scripts/enter.sh" "$out/tree" \
	/jitasklet/scripts/buildroot/rustdoc.sh "build/$release" </dev/null ||
	die "the documentation has errors: see above."

say "rendered build/doc/jit_tasklet/index.html;" \
	"compiled the $(cat "$top/build/doc/examples") examples in it"
