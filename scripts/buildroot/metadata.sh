#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# metadata.sh RELEASE: makes the Rust metadata of that kernel, whose configuration is in
# /kernel/build. Runs in the build root: see enter.sh.

set -euo pipefail

: "${1?"usage: metadata.sh RELEASE"}"
. /jitasklet/scripts/compilers.sh

release=$1 failed='' gcc=$(gcc_of /kernel/build)

# Debian's build passes the same variables.
kernel() {
	make -C /kernel/source O=/kernel/build -j"$(nproc)" CC="$gcc" HOSTCC="$gcc" \
		KERNELRELEASE="$release" "$@"
}

# Without the programs that link a kernel. objtool comes from the package.
prepare() {
	kernel CONFIG_OBJTOOL= CONFIG_DEBUG_INFO_BTF= CONFIG_KALLSYMS= CONFIG_TRACEPOINTS= \
		CONFIG_BUILDTIME_TABLE_SORT= CONFIG_ASN1= CONFIG_SECURITY_SELINUX= \
		CONFIG_SECURITY_IPE= modules_prepare
}

# compilers FILE: prints those that a configuration was made with.
compilers() {
	sed -nE 's/^CONFIG_(CC|RUSTC|BINDGEN)_VERSION_TEXT="(.*)"$/    \2/p' "$1"
}

# The text has the revision of gcc's package. What modules see does not change with that, nor with
# binutils, unless another option changes too.
options() {
	grep -vE '^CONFIG_(CC_VERSION_TEXT|AS_VERSION|LD_VERSION)=' "$1"
}

cd /kernel/build
cp .config "$TMPDIR/shipped"
mkdir "$TMPDIR/bin"
ln -s /jitasklet/scripts/buildroot/rustc.sh "$TMPDIR/bin/rustc"
ln -s /usr/bin/llvm-nm "$TMPDIR/bin/nm"
ln -s /usr/bin/true "$TMPDIR/bin/objcopy"
export PATH="$TMPDIR/bin:$PATH" KCONFIG_NOSILENTUPDATE=1
prepare || failed=1
[ -z "$failed" ] || kernel olddefconfig
if ! diff <(options "$TMPDIR/shipped") <(options .config); then
	echo "$release was built with"
	compilers "$TMPDIR/shipped"
	echo "and today's packages of its suite are"
	compilers .config
	exit 1
fi
[ -z "$failed" ] || prepare
# An uncompressed image for QEMU, where it can start one: see qemu.sh.
! grep -q "^CONFIG_PVH=y" .config ||
	/kernel/source/scripts/extract-vmlinux vmlinuz >vmlinux.pvh
# Only the metadata and the macros of the crates are needed again, not their bitcode.
find rust -name "*.o" -delete
