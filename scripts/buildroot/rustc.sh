#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rustc.sh ARGUMENT...: runs rustc for a tree of which only the crates' metadata and the names of
# their symbols are needed: see kernel-tree.sh. Instead of an object, rustc emits unoptimized
# bitcode, which has the same symbols. The macros, which run while a crate is compiled, are not
# optimized either. Runs in the build root.

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
