#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench-programs.sh OUT: builds what the benchmarks need into OUT, a path below the checkout: the
# modules, the program that reads, and the sizes of two modules. Runs in the build root: see
# enter.sh.

set -euo pipefail

: "${1?"usage: bench-programs.sh OUT"}"
. /jitasklet/scripts/debian.sh

gcc=$(gcc_of /kernel/build)
out=$1

cd /jitasklet
scripts/buildroot/kbuild.sh . "$out" -s JITASKLET_BENCH=m modules
"$gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$out/run" bench/run.c
for module in jitasklet_c jitasklet; do
	"$triplet-strip" --strip-debug -o "$out/stripped" "$out/$module.ko"
	"$triplet-size" -A "$out/stripped" | awk -v module="$module" '
		$1 == ".text" || $1 == ".data" { print "size" $1, module, 1, $2 }'
done >"$out/sizes"
