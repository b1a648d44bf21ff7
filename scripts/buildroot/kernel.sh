#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh RELEASE CONFIG...: builds a kernel in /kernel/build, with what the files CONFIG ask for,
# and nothing else. Runs in the build root: see enter.sh.

set -euo pipefail

release=${1?"usage: kernel.sh RELEASE CONFIG..."}
shift

kernel() {
	make -C /kernel/source O=/kernel/build -j"$(nproc)" LLVM=1 KERNELRELEASE="$release" "$@"
}

cd /kernel/build
# Before 7.3, PROC_SYSCTL selects SYSCTL.
{ cat "$@"; echo CONFIG_PROC_SYSCTL=y; } >"$TMPDIR/config"
kernel KCONFIG_ALLCONFIG="$TMPDIR/config" allnoconfig
# Kconfig silently drops options whose dependencies are not met.
if cat "$@" | grep "^CONFIG_" | grep -vxFf .config; then
	echo "The configuration could not have the options above."
	exit 1
fi
kernel bzImage modules
cp arch/x86/boot/bzImage vmlinuz
# From here on only modules are built.
find . \( -name "*.o" -o -name "*.a" -o -name "*.cmd" \) \
	! -path "./scripts/*" ! -path "./tools/*" -delete
