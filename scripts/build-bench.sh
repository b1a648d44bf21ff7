#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-bench.sh OUT: builds what the benchmarks need, for the kernel of the build directory OUT,
# into OUT/bench: the modules, the program that reads, and the sizes of two modules.

. "${BASH_SOURCE[0]%/*}/lib.sh"

out=$(realpath "$1")
bench=build/${out##*/}/bench

"$top/scripts/enter.sh" "$out/tree" sh -euc '
	cd /jitasklet
	scripts/kbuild.sh . "$1" -s JITASKLET_BENCH=m modules
	x86_64-linux-gnu-gcc-14 -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "$1/run" bench/run.c
	for module in jitasklet_c jitasklet; do
		x86_64-linux-gnu-strip --strip-debug -o "$1/stripped" "$1/$module.ko"
		x86_64-linux-gnu-size -A "$1/stripped" | awk -v module="$module" "
			\$1 == \".text\" || \$1 == \".data\" { print \"size\" \$1, module, 1, \$2 }"
	done >"$1/sizes"
' sh "$bench" </dev/null >&2 || die "the benchmarks could not be built for ${out##*/}: see above."
