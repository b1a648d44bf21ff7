#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu.sh ARGUMENT...: runs QEMU, with virtme-ng's arguments changed. boot.sh tells virtme-ng to use
# this as QEMU. All changes to virtme-ng's setup are in this file:
#
# - For a root other than /, virtme-ng provides its init over 9p, which is not built into Debian's
#   kernels, in a second directory; and that init is a shell script of some sixty commands. The
#   guest has its own init instead: scripts/guest/init.sh.
# - An emulated CPU takes a second to uncompress a kernel. So QEMU gets it uncompressed, if the tree
#   has such an image.
# - The watchdog is a device that nothing here uses.

set -euo pipefail

: "${1?"usage: qemu.sh ARGUMENT..."}"

here=${BASH_SOURCE[0]%/*}
args=()
while [ $# -gt 0 ]; do
	case "$1 ${2-}" in
	'-fsdev '*/virtme/guest* | '-device '*=virtme.guesttools | '-device i6300esb'*) shift ;;
	'-append '*)
		args+=(-append "${2%% init=*} init=/jitasklet/scripts/guest/init.sh")
		shift
		;;
	'-kernel '*)
		image=${here%/jitasklet/*}/kernel/build/vmlinux.pvh
		[ -e "$image" ] || image=$2
		args+=(-kernel "$image")
		shift
		;;
	*) args+=("$1") ;;
	esac
	shift
done
exec "${QEMU:-qemu-system-x86_64}" "${args[@]}"
