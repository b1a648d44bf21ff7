#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# metadata.sh RELEASE: makes the Rust metadata of that kernel, whose configuration is in
# /kernel/build. Runs in the build root: see enter.sh.

set -euo pipefail

: "${1?"usage: metadata.sh RELEASE"}"
. /jitasklet/scripts/debian.sh

release=$1 failed=''

# Debian's build passes the same variables.
kernel() {
	make -C /kernel/source O=/kernel/build -j"$(nproc)" CC="$gcc" HOSTCC="$gcc" \
		KERNELRELEASE="$release" LOCALVERSION="+${release#*+}" "$@"
}

cd /kernel/build
cp .config "$TMPDIR/shipped"
mkdir "$TMPDIR/bin"
ln -s /jitasklet/scripts/buildroot/rustc.sh "$TMPDIR/bin/rustc"
ln -s /usr/bin/llvm-nm "$TMPDIR/bin/nm"
ln -s /usr/bin/true "$TMPDIR/bin/objcopy"
export PATH="$TMPDIR/bin:$PATH" KCONFIG_NOSILENTUPDATE=1
# Without the programs that link a kernel. objtool comes from the package.
kernel CONFIG_OBJTOOL= CONFIG_DEBUG_INFO_BTF= CONFIG_KALLSYMS= CONFIG_TRACEPOINTS= \
	CONFIG_BUILDTIME_TABLE_SORT= CONFIG_ASN1= CONFIG_SECURITY_SELINUX= \
	CONFIG_SECURITY_IPE= modules_prepare || failed=1
[ -z "$failed" ] || kernel olddefconfig
if ! diff "$TMPDIR/shipped" .config; then
	echo "The compilers of the build root are not those of the kernel."
	exit 1
fi
[ -z "$failed" ]
# An uncompressed image for QEMU, where it can start one: see qemu.sh.
! grep -q "^CONFIG_PVH=y" .config ||
	/kernel/source/scripts/extract-vmlinux vmlinuz >vmlinux.pvh
# Only the metadata and the macros of the crates are needed again, not their bitcode.
find rust -name "*.o" -delete
