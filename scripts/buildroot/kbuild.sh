#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kbuild.sh SOURCE OUT [ARGUMENTS]: builds an out-of-tree module with Kbuild, with both paths below
# the checkout. enter.sh says where this runs, and sets KERNEL_TREE.

set -euo pipefail

: "${2?"usage: kbuild.sh SOURCE OUT [ARGUMENTS]"}"
top=${BASH_SOURCE[0]%/scripts/*}
. "$top/scripts/compilers.sh"

build=$KERNEL_TREE/build
mkdir -p "$top/$2"
# The type information in BTF would need the kernel's own, which is in no package that is used here.
exec make --no-print-directory -C "$build" "$(compiler_of "$build")" ${RUSTC:+RUSTC="$RUSTC"} \
	CONFIG_DEBUG_INFO_BTF_MODULES= M="$top/$1" MO="$top/$2" "${@:3}"
