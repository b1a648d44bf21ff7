#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kbuild.sh SOURCE OUT [ARGUMENTS]: builds an out-of-tree module with Kbuild, with both paths below
# the checkout. Runs in the build root: see enter.sh.

set -euo pipefail

mkdir -p "/jitasklet/$2"
# With the compiler that the kernel was built with.
if grep -q '^CONFIG_CC_IS_CLANG=y' /kernel/build/.config; then
	compiler=LLVM=1
else
	compiler=CC=x86_64-linux-gnu-gcc-14
fi
# The type information in BTF would need the kernel's own, which is in no package that is used here.
exec make --no-print-directory -C /kernel/build "$compiler" \
	CONFIG_DEBUG_INFO_BTF_MODULES= M="/jitasklet/$1" MO="/jitasklet/$2" "${@:3}"
