#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel-tree.sh KERNEL [KVER]: makes a tree that out-of-tree Rust modules for one of Debian's
# kernels can be built with, and prints its path. No kernel is compiled. In the tree:
#     build/    the kernel's build directory, with the Rust metadata that Debian does not ship
#     source    a link to the part of the kernel's source that builds read: see source.sh
#     vmlinuz   the kernel as Debian ships it
#     release   its release, and its flavour
#     compilers the suite that it is in, and its gcc
#     symbols   how many Rust and helper symbols are those of the shipped kernel
# kernel-tree.sh path KERNEL [KVER]: prints the path that the tree has, or would have.
# A KERNEL that is an absolute path is a kernel that was built there: see kdir-tree.sh.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

[ $# -ge 1 ] || usage
only=''
if [ "$1" = path ]; then
	only=path
	shift
fi
[ -n "$only" ] || need_namespaces "making a kernel tree"
case $1 in
debug) exec "$top/scripts/debug-kernel.sh" $only "${2-}" ;;
/*) exec "$top/scripts/kdir-tree.sh" "$1" ;;
esac

resolved=$("$top/scripts/kernels.sh" resolve "$@")
read -r flavour release version image source_package kernels gcc <<<"$resolved"
# For root.sh.
export COMPILERS="$kernels $gcc"

unpack_packages() {
	local deb
	for deb in "$part"/debs/*.deb; do
		dpkg-deb -x "$deb" "$part/debs/files"
	done
	cp "$part"/debs/files/usr/lib/modules/"$release"/vmlinuz* "$part/vmlinuz"
	ln "$part/vmlinuz" "$part/build/vmlinuz"
	cp "$part"/debs/files/usr/src/linux-headers-"$release"/.config "$part/build/.config"
	cp "$part"/debs/files/usr/src/linux-headers-"$release"/Module.symvers "$part/Module.symvers"
	# Builds of modules use it. The one in the package is a script that starts this.
	mkdir -p "$part/build/tools/objtool"
	cp "$part"/debs/files/usr/lib/linux-kbuild-*/tools/objtool/objtool.real-x86 \
		"$part/build/tools/objtool/objtool"
}

metadata() {
	"$top/scripts/enter.sh" --rw "$part" /jitasklet/scripts/buildroot/metadata.sh "$release"
}

root=$(basename "$("$top/scripts/root.sh" build path)")
made_from=$(declare -p root version; declare -f unpack_packages
	cat "$top"/scripts/source.sh "$top"/scripts/buildroot/{metadata,rustc}.sh)
tree=$cache/kernel-$release-$(hash <<<"$made_from")

if [ -n "$only" ] || [ -d "$tree" ]; then
	echo "$tree"
	exit
fi

make_cache
lock "kernel-$release"
if [ -d "$tree" ]; then
	echo "$tree"
	exit
fi
need_disk "$([ -d "$cache/$root" ] && echo 900 || echo 2300)" "building for $release"

part=$tree.part
sweep "$part"
mkdir -p "$part/debs" "$part/build"
echo "$COMPILERS" >"$part/compilers"

# Meanwhile, the kernel and its source are downloaded and unpacked.
beside "$top/scripts/root.sh" build >/dev/null
making_root=$!

download() {
	cd "$part/debs"
	APT_CONFIG=$("$top/scripts/archive.sh" "$kernels") apt-get download "$@"
}

logged "download-$release" "downloading the image and the headers of $release" \
	download "$image=$version" "linux-headers-$release=$version" \
	"linux-kbuild-${release%%-*}=$version"
source=$("$top/scripts/source.sh" modules "$version" "$source_package" "$kernels")
ln -s "../${source##*/}" "$part/source"

logged "unpack-$release" "unpacking the image and the configuration" unpack_packages

for option in RUST MODULES VIRTIO_FS VIRTIO_CONSOLE VIRTIO_PCI; do
	grep -q "^CONFIG_$option=y" "$part/build/.config" ||
		die "the kernel $release is built without CONFIG_$option=y." \
			"jitasklet needs it. 'make kernels' lists other kernels."
done

wait "$making_root" || die "the build root could not be made: see above."

logged "metadata-$release" "regenerating the Rust metadata of $release (a minute or two)" metadata

"$top/scripts/check-symbols.sh" "$part/build" "$part/Module.symvers" >"$part/symbols"
mv "$part/Module.symvers" "$part/build/Module.symvers"
rm -rf "$part/debs"
echo "$release $flavour" >"$part/release"
mv -T "$part" "$tree"
echo "$tree"
