#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh [--disk] [--edu] [--9p] [--icount] [--speed=fast|slow] [--append PARAMETERS] tcg|kvm IMAGE
# SECONDS [COMMAND]: boots the kernel IMAGE with the root that has this file, and runs COMMAND, or
# an interactive shell. Runs in the emulator's root: see enter.sh.
#
# With --icount the guest has one emulated CPU, whose clock counts instructions: each takes one
# nanosecond, however busy this machine is. --speed=fast does the same with two CPUs, which then
# take turns in one thread. --speed=slow gives QEMU about a quarter of a CPU: see slow-qemu.sh.

set -euo pipefail

: "${3?"usage: boot.sh [OPTIONS] tcg|kvm IMAGE SECONDS [COMMAND]"}"

here=${BASH_SOURCE[0]%/*}
cpus=2 qemu=() args=()
while [[ $1 = --* ]]; do
	case $1 in
	# A disk of zeros, for each of the drivers that a kernel may have built in. With one queue
	# for all CPUs, its requests are completed in the BLOCK softirq.
	--disk)
		qemu+=(-blockdev 'driver=null-co,node-name=zeros,size=67108864,read-zeroes=on'
			-device 'nvme,drive=zeros,serial=zeros,max_ioqpairs=1,share-rw=on'
			-device 'virtio-blk-pci,drive=zeros,num-queues=1,share-rw=on')
		;;
	# For samples/jit_edu.rs: three devices whose INTx have one line. The last one can be
	# unplugged, through the port with the name qmp, which is QEMU's own monitor.
	--edu)
		monitor=${TMPDIR:-/tmp}/qmp
		qemu+=(-device 'edu,addr=0x10' -device 'edu,addr=0x14'
			-device 'pcie-root-port,addr=0x18,id=plug' -device 'edu,bus=plug,id=edu'
			-chardev "socket,id=server,path=$monitor,server=on,wait=off"
			-mon 'chardev=server,mode=control'
			-chardev "socket,id=client,path=$monitor"
			-device 'virtserialport,chardev=client,name=qmp')
		;;
	# Without this the guest would distrust the TSC, and read slower clocks.
	--icount | --speed=fast)
		[ "$1" != --icount ] || cpus=1
		qemu+=(-icount 'shift=0,sleep=off')
		args+=(--kopt tsc=reliable)
		;;
	--9p) args+=(--force-9p) ;;
	--speed=slow) export QEMU=$here/slow-qemu.sh ;;
	--append)
		read -ra parameters <<<"$2"
		args+=("${parameters[@]/#/--kopt=}")
		shift
		;;
	esac
	shift
done
accel=$1 image=$2 seconds=$3
build=${image%/*} build=${build##*/}
shift 3

# The CPU is the host's with KVM, as virtme-ng has it, and else QEMU's default one: -cpu max has
# instructions that the kernel then uses, and that are slow to emulate.
#
# The kernel gives JIT_BUILD, where the module is, to its first process, in the environment.
#
# The guest has its own init: see qemu.sh for this and other changes to virtme-ng's setup. Until it
# runs, the console has warnings only. The kernel skips its tests of ciphers, which keep a CPU busy.
# Without init_on_alloc programs crash on QEMU's default CPU; Debian's kernels have it by default.
args+=(--kimg "$image" --mods none --root "${here%/jitasklet/*}" --rw
	--qemu-bin "$here/qemu.sh" --cpus "$cpus" --memory 1G --disable-microvm
	--kopt loglevel=5 --kopt hostname=jitasklet --kopt cryptomgr.notests
	--kopt init_on_alloc=1 --kopt "JIT_BUILD=/jitasklet/build/$build")
# An emulated CPU does not speculate, and mitigations are slow on it. On a busy machine its timer
# may not tick while the kernel checks whether it does.
[ "$accel" = kvm ] || args+=(--disable-kvm --kopt mitigations=off --kopt no_timer_check)
[ ${#qemu[@]} -eq 0 ] || qemu=(--qemu-opts "${qemu[@]}")

cd /
if [ $# -eq 0 ]; then
	exec virtme-run "${args[@]}" --disable-monitor "${qemu[@]}"
fi
exec timeout --foreground --kill-after=5 "$seconds" virtme-run --verbose --show-boot-console \
	"${args[@]}" --script-sh "$*" "${qemu[@]}"
