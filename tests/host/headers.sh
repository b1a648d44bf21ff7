#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# headers.sh OUT: a KDIR= as the headers packages of some distributions are: no source, but Rust
# metadata. A plain make and M= build for it; with the kernel's image beside, M= also boots it. The
# directory is made from the tree of OUT; the chroot of chroot.sh stands in for the machine.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"
. "$top/tests/host/chroot.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-headers.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT
headers=$tmp/copy/headers

make_headers() {
	mkdir -p "$headers" &&
		tar -C "$out/tree/source" -c Makefile scripts include arch/x86/Makefile \
			arch/x86/Makefile_32.cpu arch/x86/include | tar -x -C "$headers" &&
		(cd "$out/tree/build" && tar -c .config Module.symvers include arch/x86/include \
			scripts tools/objtool/objtool rust/*.rmeta rust/*.so) |
		tar -x -C "$headers"
}

# builds FILE ARGUMENT...: make succeeds, and makes the file.
builds() {
	container make -C /src KDIR=/src/headers "${@:2}" >"$tmp/said" 2>&1 &&
		[ -s "$tmp/copy/$1" ] && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# makes PATTERN LINES ARGUMENT...: its output has that many lines like this.
makes() {
	container make -C /src KDIR=/src/headers "${@:3}" >"$tmp/said" 2>&1 &&
		[ "$(grep -cE "$1" "$tmp/said")" = "$2" ] && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

no_image() {
	! container make -C /src KDIR=/src/headers demo M=samples/minimal >"$tmp/said" 2>&1 &&
		grep 'has no arch/x86/boot/bzImage' "$tmp/said"
}

with_image() {
	mkdir -p "$headers/arch/x86/boot" && cp "$out/vmlinuz" "$headers/arch/x86/boot/bzImage" &&
		makes 'minimal: (hello|goodbye)$' 2 demo M=samples/minimal
}

no_source() {
	! find "$headers" \( -name '*.c' -o -name '*.rs' \) -path '*/kernel/*' | grep . &&
		[ ! -e "$headers/init" ] && [ ! -e "$headers/rust/kernel" ]
}

plan 7
[ -e "$image" ] || { make_container && make_headers; } || exit
mounts 'the directory has no source' no_source
mounts 'M= builds a module in Rust' builds build/m/minimal/minimal.ko M=samples/minimal
mounts 'M= builds a module in Rust and C' builds build/m/mixed/mixed.ko M=samples/mixed
mounts 'a plain make builds jitasklet' builds jitasklet.ko
mounts 'without an image, make demo says what is missing' no_image
mounts 'with an image, make demo M= runs a module' with_image
mounts 'with an image, make check M= tests one' \
	makes '^3 passed, 0 failed$' 1 check M=samples/mixed TEST=test.sh
end
