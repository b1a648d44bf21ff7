#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test-programs.sh OUT: builds what the guest's tests need into OUT, a path below the checkout. Runs
# in the build root: see enter.sh.

set -euo pipefail

: "${1?"usage: test-programs.sh OUT"}"
. /jitasklet/scripts/debian.sh

gcc=$(gcc_of /kernel/build)
out=$1
kbuild=/jitasklet/scripts/buildroot/kbuild.sh

cd /jitasklet
for program in reader walk; do
	"$gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "$out/$program" "tests/guest/$program.c"
done
for program in read proc-subset-pid; do
	"$gcc" -O2 -D_GNU_SOURCE= -static -o "$out/proc-${program#proc-}" \
		"/kernel/source/tools/testing/selftests/proc/$program.c"
done
"$kbuild" . "$out/kernel" -s JITASKLET_TEST=m modules
"$kbuild" tests/clash "$out" -s modules
