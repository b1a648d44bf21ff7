#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-tests.sh OUT: builds what the guest's tests need, for the kernel of the build directory OUT,
# into OUT/tests.

. "${BASH_SOURCE[0]%/*}/lib.sh"

release=${1##*/}
tree=$1/tree
mkdir -p "$top/build/$release/tests/kernel"

"$top/scripts/enter.sh" "$tree/source" "$tree/build" sh -euc '
	cd /jitasklet
	x86_64-linux-gnu-gcc-14 -std=gnu11 -O2 -Wall -Wextra -Werror -static \
		-o "build/$1/tests/reader" tests/guest/reader.c
	make --no-print-directory -s -C /kernel/build CC=x86_64-linux-gnu-gcc-14 JITASKLET_TEST=m \
		M=/jitasklet MO="/jitasklet/build/$1/tests/kernel" modules
	make --no-print-directory -s -C /kernel/build CC=x86_64-linux-gnu-gcc-14 \
		M=/jitasklet/tests/clash MO="/jitasklet/build/$1/tests" modules
' sh "$release" </dev/null >&2 || die "the tests could not be built for $release: see above."
