#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# prune.sh: removes from the cache all that the default kernels do not need: the lists of other
# suites, the trees, sources and compilers of their kernels, and what earlier versions of the
# scripts have made. Modules and images in build/ stay. No other command may be running with this
# cache.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

[ -d "$cache" ] || exit 0
# Only the default kernels of the default suite.
unset SUITE
keep=("$cache/root-check-jsonschema")
for kernel in cloud rt debug; do
	tree=$("$top/scripts/kernel-tree.sh" path "$kernel")
	keep+=("$tree")
	[ ! -d "$tree" ] || keep+=("$(realpath "$tree/source")")
done
for name in build emulator guest load check plot junit schema image; do
	keep+=("$("$top/scripts/root.sh" "$name" path)")
done

before=$(df --output=used -BM "$cache" | tail -n 1 | tr -dc 0-9)
for entry in "$cache"/{apt,kernel,root,source}-*; do
	[[ $entry = *.lock || " ${keep[*]} " = *" $entry "* ]] || sweep "$entry"
done
after=$(df --output=used -BM "$cache" | tail -n 1 | tr -dc 0-9)
say "$((before - after)) MiB of disk are free again"
