#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# debug-kernel.sh [KVER]: builds the debug kernel from Debian's source, with the options that any
# guest needs and those of the config files in tests/, and prints the path of its tree, which is
# like one of kernel-tree.sh.
# debug-kernel.sh path [KVER]: prints the path that the tree has, or would have.

. "${BASH_SOURCE[0]%/*}/lib.sh"

only=''
if [ "${1-}" = path ]; then
	only=path
	shift
fi
configs=("$top"/{scripts/guest,tests,tests/guest}/config)

resolved=$("$top/scripts/kernels.sh" resolve cloud "$@")
read -r _ release version _ source_package kernels gcc <<<"$resolved"
export COMPILERS="$kernels $gcc"
release=${release%%+*}-debug

build_kernel() {
	"$top/scripts/enter.sh" --rw "$part" /jitasklet/scripts/buildroot/kernel.sh "$release" \
		"${configs[@]/#"$top"//jitasklet}"
}

root=$(basename "$("$top/scripts/root.sh" check path)")
made_from=$(declare -p root version
	cat "$top"/scripts/{source,buildroot/kernel}.sh "${configs[@]}")
tree=$cache/kernel-$release-$(hash <<<"$made_from")

if [ -n "$only" ]; then
	echo "$tree"
	exit
fi
if [ ! -d "$tree" ]; then
	make_cache
	lock "kernel-$release"
fi
if [ ! -d "$tree" ]; then
	need_disk 4500 "building the debug kernel"
	"$top/scripts/root.sh" check >/dev/null
	source=$("$top/scripts/source.sh" kernel "$version" "$source_package" "$kernels")
	part=$tree.part
	sweep "$part"
	mkdir -p "$part/build"
	ln -s "../${source##*/}" "$part/source"
	echo check >"$part/layer"
	echo "$COMPILERS" >"$part/compilers"
	logged "$release" "building the debug kernel $release (8 to 15 minutes)" build_kernel
	mv "$part/build/vmlinuz" "$part/vmlinuz"
	echo "$release debug" >"$part/release"
	mv -T "$part" "$tree"
fi
echo "$tree"
