#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-bench.sh OUT: builds what the benchmarks need, for the kernel of the build directory OUT,
# into OUT/bench: the modules, the program that reads, and the sizes of two modules.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
bench=build/${out##*/}/bench

"$top/scripts/enter.sh" "$out/tree" \
	/jitasklet/scripts/buildroot/bench-programs.sh "$bench" </dev/null >&2 ||
	die "the benchmarks could not be built for ${out##*/}: see above."
