#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh [--disk] [--icount] [--speed=fast|slow] [--append PARAMETERS] tcg|kvm IMAGE SECONDS
# [COMMAND]: boots the kernel IMAGE with the build root as its root, and runs COMMAND in it, or a
# shell for a person. Runs in the build root: see enter.sh.
#
# With --icount the guest has one emulated CPU, whose clock counts its instructions: one is one
# nanosecond, however busy this machine is. --speed=fast does the same with two CPUs, which then
# take turns in one thread. --speed=slow gives QEMU about a quarter of a CPU: see slow-qemu.sh.
#
# vng's guest is a copy of where it runs, and its init is a shell script of some sixty commands. An
# emulated CPU takes 60 ms for each of them that is busybox, and 120 to 250 ms for one that is a
# dynamically linked program. So those that the init uses become busybox here, where all changes are
# forgotten.

set -euo pipefail

cpus=2 qemu='' args=()
while [[ $1 = --* ]]; do
	case $1 in
	# A disk of zeros, for whichever of the drivers the kernel has built in. With one queue for
	# all CPUs, its requests are completed in the BLOCK softirq.
	--disk)
		qemu+=' -blockdev driver=null-co,node-name=zeros,size=67108864,read-zeroes=on'
		qemu+=' -device nvme,drive=zeros,serial=zeros,max_ioqpairs=1,share-rw=on'
		qemu+=' -device virtio-blk-pci,drive=zeros,num-queues=1,share-rw=on'
		;;
	# The guest cannot know that this TSC is as good as it gets, and would read slower clocks.
	--icount | --speed=fast)
		[ "$1" != --icount ] || cpus=1
		qemu+=' -icount shift=0,sleep=off'
		args+=(--append tsc=reliable)
		;;
	# Found before the real one.
	--speed=slow)
		ln -sf /jitasklet/scripts/slow-qemu.sh /usr/sbin/qemu-system-x86_64
		;;
	--append)
		args+=(--append "$2")
		shift
		;;
	esac
	shift
done
accel=$1 image=$2 seconds=$3
shift 3

applets=(base64 basename cat chmod chown cp dirname dmesg grep hostname id install ip ln mkdir
	mktemp mount poweroff rm sed setsid stty sync touch umount uname)
for applet in "${applets[@]}"; do
	ln -sf /usr/bin/busybox "/usr/bin/$applet"
done

# vng's init has udev coldplug everything, and wants the links of its own serial ports from it.
# Only these links are needed here; coldplug took 6 s. A port appears before its name.
cat >/usr/sbin/udevd <<'EOF'
#!/bin/bash
mkdir -p /dev/virtio-ports
[ -d /dev/pts/. ] && mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
for try in {1..100}; do
	for port in /sys/class/virtio-ports/*; do
		[ -e "$port/name" ] && read -r name <"$port/name" && [ -n "$name" ] &&
			ln -sf "../${port##*/}" "/dev/virtio-ports/$name"
	done
	grep -q 'virtme\.exec' /proc/cmdline || exit 0
	[ -e /dev/virtio-ports/virtme.ret ] && exit 0
	sleep 0.1
done
EOF
printf '#!/bin/sh\n' >/usr/sbin/udevadm
chmod +x /usr/sbin/udevd /usr/sbin/udevadm
mkdir -p /etc/lvm

# What the guest sees of the checkout is not its to change.
mount -o remount,bind,ro /jitasklet

args+=(--verbose --rw --run "$image" --cpus "$cpus" --memory 1G --disable-microvm)
# An emulated CPU leaks nothing through speculation, and pays dearly for the mitigations.
[ "$accel" = kvm ] || args+=(--disable-kvm --append mitigations=off)
[ -z "$qemu" ] || args+=("--qemu-opts=$qemu")

cd /jitasklet
if [ $# -eq 0 ]; then
	cp /jitasklet/scripts/guest-shell.sh /root/.bashrc
	exec vng "${args[@]}" --disable-monitor
fi
exec timeout --foreground --kill-after=5 "$seconds" vng "${args[@]}" --exec "$*"
