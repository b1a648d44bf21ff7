#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh [--disk] [--icount] [--speed=fast|slow] [--append PARAMETERS] tcg|kvm IMAGE SECONDS
# [COMMAND]: boots the kernel IMAGE with /guest as its root, and runs COMMAND in it, or a shell for
# a person. Runs in the emulator's root: see enter.sh.
#
# With --icount the guest has one emulated CPU, whose clock counts its instructions: one is one
# nanosecond, however busy this machine is. --speed=fast does the same with two CPUs, which then
# take turns in one thread. --speed=slow gives QEMU about a quarter of a CPU: see slow-qemu.sh.

set -euo pipefail

: "${3?"usage: boot.sh [OPTIONS] tcg|kvm IMAGE SECONDS [COMMAND]"}"

cpus=2 qemu=() args=()
while [[ $1 = --* ]]; do
	case $1 in
	# A disk of zeros, for whichever of the drivers the kernel has built in. With one queue for
	# all CPUs, its requests are completed in the BLOCK softirq.
	--disk)
		qemu+=(-blockdev 'driver=null-co,node-name=zeros,size=67108864,read-zeroes=on'
			-device 'nvme,drive=zeros,serial=zeros,max_ioqpairs=1,share-rw=on'
			-device 'virtio-blk-pci,drive=zeros,num-queues=1,share-rw=on')
		;;
	# The guest cannot know that this TSC is as good as it gets, and would read slower clocks.
	--icount | --speed=fast)
		[ "$1" != --icount ] || cpus=1
		qemu+=(-icount 'shift=0,sleep=off')
		args+=(--kopt tsc=reliable)
		;;
	--speed=slow) export QEMU=/jitasklet/scripts/emulator/slow-qemu.sh ;;
	--append)
		read -ra parameters <<<"$2"
		args+=("${parameters[@]/#/--kopt=}")
		shift
		;;
	esac
	shift
done
accel=$1 image=$2 seconds=$3
shift 3

# The init is ours, and what else is not as virtme-ng would have it: see qemu.sh. Until it runs, the
# console has warnings only. The kernel does not test its ciphers, which would take a CPU meanwhile.
args+=(--kimg "$image" --mods none --root /guest --rw --qemu-bin /jitasklet/scripts/emulator/qemu.sh
	--cpus "$cpus" --memory 1G --disable-microvm --kopt loglevel=5 --kopt hostname=jitasklet
	--kopt cryptomgr.notests)
# An emulated CPU leaks nothing through speculation, and pays dearly for the mitigations. On a busy
# machine its timer may not tick in the time in which the kernel looks whether it does.
[ "$accel" = kvm ] || args+=(--disable-kvm --kopt mitigations=off --kopt no_timer_check)
[ ${#qemu[@]} -eq 0 ] || qemu=(--qemu-opts "${qemu[@]}")

cd /
if [ $# -eq 0 ]; then
	exec virtme-run "${args[@]}" --disable-monitor "${qemu[@]}"
fi
exec timeout --foreground --kill-after=5 "$seconds" virtme-run --verbose --show-boot-console \
	"${args[@]}" --script-sh "$*" "${qemu[@]}"
