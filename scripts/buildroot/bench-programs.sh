#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench-programs.sh OUT: builds what the benchmarks need into OUT, a path below the checkout: the
# modules, the program that reads, and the sizes of two modules. enter.sh says where this runs, and
# sets KERNEL_TREE.

set -euo pipefail

: "${1?"usage: bench-programs.sh OUT"}"
top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
. "$top/scripts/compilers.sh"

gcc=$(gcc_of "$KERNEL_TREE/build")
out=$1

cd "$top"
"$top/scripts/buildroot/kbuild.sh" . "$out" -s JITASKLET_BENCH=m modules
"$gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -static -o "$out/run" bench/run.c
for module in jitasklet_c jitasklet; do
	strip --strip-debug -o "$out/stripped" "$out/$module.ko"
	size -A "$out/stripped" | awk -v module="$module" '
		$1 == ".text" || $1 == ".data" { print "size" $1, module, 1, $2 }'
done >"$out/sizes"
