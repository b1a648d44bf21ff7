#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh OUT: the kernel of the build directory OUT without virtme-ng: it boots from a plain
# initramfs with busybox, has its console on ttyS0, and powers the machine off.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

out=$(realpath "$1")
console=$out/initramfs.console

boot() {
	"$top/scripts/enter.sh" --guest guest "$out/tree" sh -euc '
		cd "/jitasklet/build/$1"
		mkdir -p /tmp/root/bin /tmp/root/proc /tmp/root/dev
		cp /guest/usr/bin/busybox jitasklet.ko /tmp/root
		cat >/tmp/root/init <<-EOF
			#!/busybox sh
			/busybox mount -t proc none /proc
			/busybox insmod /jitasklet.ko
			/busybox cat /proc/jitasklet
			/busybox rmmod jitasklet
			/busybox echo "the end, with status \$?"
			/busybox poweroff -f
		EOF
		chmod +x /tmp/root/init
		mknod /tmp/root/dev/console c 5 1
		(cd /tmp/root; find . | ./busybox cpio -o -H newc) | gzip >/tmp/initramfs
		timeout 300 qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1G -nodefaults \
			-display none -no-reboot -serial stdio -kernel vmlinuz \
			-initrd /tmp/initramfs \
			-append "console=ttyS0 panic=-1 mitigations=off no_timer_check"
	' sh "${out##*/}" </dev/null >"$console"
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
t 'it boots and ends by itself' boot
t 'it shows a table on ttyS0' shows_a_table
t 'it powers off by ACPI' powers_off
t 'the kernel is silent' red '^$' complains
end
