#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot-initramfs.sh BUILD: boots the kernel in the build directory BUILD from an initramfs with
# busybox and the module, which shows a table. Its console is on standard output. Runs in the
# emulator's root.

set -euo pipefail

guest=${BASH_SOURCE[0]%/jitasklet/*}
cd "${1?"usage: boot-initramfs.sh BUILD"}"
mkdir -p "$TMPDIR"/root/{bin,proc,dev}
cp "$guest/usr/bin/busybox" jitasklet.ko "$TMPDIR/root"
# An ordinary user cannot make /dev/console here, so the kernel finds it only in its own devtmpfs.
cat >"$TMPDIR/root/init" <<'EOF'
#!/busybox sh
/busybox mount -t devtmpfs none /dev
exec >/dev/console 2>&1
/busybox mount -t proc none /proc
/busybox insmod /jitasklet.ko
/busybox cat /proc/jitasklet
/busybox rmmod jitasklet
/busybox echo "the end, with status $?"
/busybox poweroff -f
EOF
chmod +x "$TMPDIR/root/init"
(cd "$TMPDIR/root" && find . | ./busybox cpio -o -H newc) | gzip >"$TMPDIR/initramfs"
timeout 300 qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 1G -nodefaults -display none \
	-no-reboot -serial stdio -kernel vmlinuz -initrd "$TMPDIR/initramfs" \
	-append 'console=ttyS0 panic=-1 mitigations=off no_timer_check'
