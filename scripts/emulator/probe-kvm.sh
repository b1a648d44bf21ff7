#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# probe-kvm.sh IMAGE: succeeds if KVM really runs a guest: /dev/kvm may open although guests crash.
# The kernel IMAGE has no root here, so it panics at the end of its boot. Runs in the emulator's
# root.

set -euo pipefail

: "${1?"usage: probe-kvm.sh IMAGE"}"

log=$(mktemp)
qemu-system-x86_64 -accel kvm -cpu host -m 512 -nodefaults -no-reboot -display none -serial stdio \
	-kernel "$1" -append 'console=ttyS0 panic=-1' </dev/null >"$log" 2>&1 &
qemu=$!
# Keeps the shell from printing how it ended.
disown

for _ in {1..75}; do
	# First, as it may say so and end.
	alive=1
	kill -0 "$qemu" 2>/dev/null || alive=
	! grep -q 'Kernel panic - not syncing: VFS' "$log" || exit 0
	! grep -q 'KVM internal error' "$log" || exit 1
	[ -n "$alive" ] || exit 1
	sleep 0.2
done
exit 1
