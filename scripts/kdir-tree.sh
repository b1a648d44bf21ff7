#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kdir-tree.sh KDIR: makes a tree, like those of kernel-tree.sh, for the kernel that was built in
# the directory KDIR, and prints its path. Nothing is copied. In the tree:
#     build     a link to KDIR
#     source    a link to the kernel's source
#     vmlinuz   a link to its image
#     release   kdir-HASH, which names the output for this KDIR, and "kdir"
#     host      makes enter.sh build on the host, with the host's compilers

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
"$top/scripts/check-kdir.sh" "$1"
kdir=$(realpath "$1")
image=$kdir/arch/x86/boot/bzImage

for file in "$image" "$kdir/Module.symvers"; do
	[ -s "$file" ] ||
		die "KDIR=$kdir has no ${file#"$kdir/"}: its kernel is not wholly built." \
			"Type make there first."
done
"$top/scripts/kconfig.sh" --guest "$kdir"

# A module must be built anew if the kernel was, with other metadata or symbols.
release=kdir-$(hash <<<"$kdir")
made_from=$(cd "$kdir" && sha256sum .config Module.symvers rust/*.rmeta | hash)
tree=$cache/kernel-$release-$made_from

make_cache
lock "kernel-$release"
for old in "$cache/kernel-$release"-*; do
	[ "$old" = "$tree" ] || sweep "$old"
done
mkdir -p "$tree"
ln -sfn "$kdir" "$tree/build"
ln -sfn "$(realpath "$kdir/source" 2>/dev/null || echo "$kdir")" "$tree/source"
ln -sfn "$image" "$tree/vmlinuz"
echo "$release kdir" >"$tree/release"
: >"$tree/host"
echo "$tree"
