#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rustc.sh ARGUMENT...: rustc, for a tree of which only the crates' metadata and the names of their
# symbols are read: see kernel-tree.sh. In place of an object rustc writes bitcode, as it is before
# any optimization, which has the same symbols; and the macros, which are programs that run while a
# crate is compiled, are not optimized. Runs in the build root.

set -euo pipefail

: "${1?"usage: rustc.sh ARGUMENT..."}"

args=()
for arg; do
	case $arg in
	--emit=obj=*) args+=("--emit=llvm-bc=${arg#--emit=obj=}" -Cno-prepopulate-passes) ;;
	-O) ;;
	*) args+=("$arg") ;;
	esac
done
exec /usr/bin/rustc "${args[@]}"
