#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-tests.sh OUT: builds what the guest's tests need, for the kernel of the build directory OUT,
# into OUT/tests.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
tests=build/${out##*/}/tests
mkdir -p "$out/tests"

"$top/scripts/enter.sh" "$out/tree" \
	/jitasklet/scripts/buildroot/test-programs.sh "$tests" </dev/null >&2 ||
	die "the tests could not be built for ${out##*/}: see above."
