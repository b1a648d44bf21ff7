#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh OUT: the kernel of the build directory OUT without virtme-ng: it boots from a plain
# initramfs with busybox, has its console on ttyS0, and powers the machine off.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
console=$out/initramfs.console

boot() {
	local script=/guest/jitasklet/tests/emulator/boot-initramfs.sh
	"$top/scripts/enter.sh" --guest guest "$out/tree" "$script" \
		"/guest/jitasklet/build/${out##*/}" </dev/null >"$console"
}

shows_a_table() {
	grep -A 6 '^   time   delta' "$console" | tr -d '\r' | sed 's/^/# /'
	grep -q '^the end, with status 0' "$console"
}

# The console says nothing after the power is off; without ACPI the machine would hang.
powers_off() {
	tail -n 1 "$console" | grep 'reboot: Power down'
}

complains() {
	"$top/scripts/splats.sh" "$console" | grep .
}

plan 4
check 'it boots and ends by itself' boot
check 'it shows a table on ttyS0' shows_a_table
check 'it powers off by ACPI' powers_off
check 'the kernel is silent' fails_with '^$' complains
end
