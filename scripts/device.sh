#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# device.sh KERNEL [KVER]: builds the modules, boots their kernel with QEMU's device edu, and prints
# /proc/jitirq, from an idle machine and from a busy one.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
need_namespaces "booting a guest"
tree=$("$top/scripts/kernel-tree.sh" "$@")
read -r release _ <"$tree/release"
code=$(awk '$2 == "LINUX_VERSION_CODE" { print $3 }' \
	"$tree/build/include/generated/uapi/linux/version.h")
[ "$code" -ge $((7 << 16 | 3 << 8)) ] ||
	die "the driver of /proc/jitirq needs Linux 7.3 or newer, and $release is older." \
		"Type 'make kernels' to list newer ones."
out=$(JITASKLET_SAMPLES=m "$top/scripts/build.sh" "$@")
"$top/scripts/guest.sh" --edu "$out" device 600 bash scripts/guest/device.sh "build/$release"
