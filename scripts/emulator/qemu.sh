#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu.sh ARGUMENT...: QEMU, with the arguments of virtme-ng changed to what is here. boot.sh gives
# it to virtme-ng as the QEMU to use. All that is not as virtme-ng would have it is in this file:
#
# - For a root that is not /, virtme-ng brings its init by 9p, which Debian's kernels do not have
#   built in; and that init is a shell script of some sixty commands. The guest has an init of our
#   own instead: scripts/guest/init.sh.
# - An emulated CPU takes a second to uncompress a kernel. So QEMU gets it uncompressed, where the
#   tree has it so.
# - The watchdog is a device that nobody here uses.

set -euo pipefail

: "${1?"usage: qemu.sh ARGUMENT..."}"

args=()
while [ $# -gt 0 ]; do
	case "$1 ${2-}" in
	'-fsdev '* | '-device virtio-9p-'* | '-device i6300esb'*) shift ;;
	'-append '*)
		args+=(-append "${2%% init=*} init=/jitasklet/scripts/guest/init.sh")
		shift
		;;
	'-kernel '*)
		image=/kernel/build/vmlinux.pvh
		[ -e "$image" ] || image=$2
		args+=(-kernel "$image")
		shift
		;;
	*) args+=("$1") ;;
	esac
	shift
done
exec "${QEMU:-qemu-system-x86_64}" "${args[@]}"
