#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-tests.sh OUT: builds what the guest's tests need, for the kernel of the build directory OUT,
# into OUT/tests.

. "${BASH_SOURCE[0]%/*}/lib.sh"

out=$(realpath "$1")
tests=build/${out##*/}/tests
mkdir -p "$out/tests"

"$top/scripts/enter.sh" "$out/tree" sh -euc '
	cd /jitasklet
	for program in reader walk; do
		x86_64-linux-gnu-gcc-14 -std=gnu11 -O2 -Wall -Wextra -Werror -static \
			-o "$1/$program" "tests/guest/$program.c"
	done
	for program in read proc-subset-pid; do
		x86_64-linux-gnu-gcc-14 -O2 -D_GNU_SOURCE= -static \
			-o "$1/proc-${program#proc-}" \
			"/kernel/source/tools/testing/selftests/proc/$program.c"
	done
	scripts/kbuild.sh . "$1/kernel" -s JITASKLET_TEST=m modules
	scripts/kbuild.sh tests/clash "$1" -s modules
' sh "$tests" </dev/null >&2 || die "the tests could not be built for ${out##*/}: see above."
