#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test-programs.sh OUT: builds what the guest's tests need into OUT, a path below the checkout.
# enter.sh says where this runs, and sets KERNEL_TREE.

set -euo pipefail

: "${1?"usage: test-programs.sh OUT"}"
top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
. "$top/scripts/compilers.sh"

gcc=$(gcc_of "$KERNEL_TREE/build")
out=$1
kbuild=$top/scripts/buildroot/kbuild.sh

cd "$top"
for program in reader walk; do
	"$gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "$out/$program" "tests/guest/$program.c"
done
for program in read proc-subset-pid; do
	"$gcc" -O2 -D_GNU_SOURCE= -static -o "$out/proc-${program#proc-}" \
		"$KERNEL_TREE/source/tools/testing/selftests/proc/$program.c"
done
"$kbuild" . "$out/kernel" -s JITASKLET_TEST=m modules
"$kbuild" tests/clash "$out" -s modules
