#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kbuild.sh SOURCE OUT [ARGUMENTS]: builds an out-of-tree module with Kbuild, with both paths below
# the checkout, unless SOURCE is absolute. enter.sh says where this runs, and sets KERNEL_TREE.

set -euo pipefail

: "${2?"usage: kbuild.sh SOURCE OUT [ARGUMENTS]"}"
top=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
. "$top/scripts/compilers.sh"

build=$KERNEL_TREE/build source=$1
[[ $source = /* ]] || source=$top/$source
if [ -e "$source/modules.order" ]; then
	dir=$(realpath "$source")
	echo "$dir has the output of a build in place." >&2
	echo "Type: make -C $(realpath "$build") M=$dir clean" >&2
	exit 1
fi
mkdir -p "$top/$2"
# Makefiles may use $(PWD), which is that of who calls make.
cd "$source"
# The type information in BTF would need the kernel's own, which is in no package that is used here.
exec make --no-print-directory -C "$build" "$(compiler_of "$build")" ${RUSTC:+RUSTC="$RUSTC"} \
	CONFIG_DEBUG_INFO_BTF_MODULES= M="$source" MO="$top/$2" "${@:3}"
