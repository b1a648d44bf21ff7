#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# device.sh BUILD: what 'make device' does in the guest: prints /proc/jitirq, first while every CPU
# is idle, then while a process keeps the CPU busy that the device interrupts. Everything else is
# the same: the interrupt goes to the last CPU, and the reader is on the first.

set -euo pipefail

build=${1?"usage: device.sh BUILD"}
last=$(($(nproc) - 1))

# Reads the table in this shell: starting a program takes longer than all that the table shows.
show() {
	local table
	mapfile -t table </proc/jitirq
	printf '\n$ cat /proc/jitirq\n'
	printf '%s\n' "${table[@]}"
}

keep_busy() {
	printf hog >/proc/self/comm
	while :; do :; done
}

uname -a
insmod "$build/jitasklet.ko"
insmod "$build/jit_edu.ko"
printf '\nThe kernel log about the devices:\n'
said=$(dmesg | grep jit_edu)
echo "$said"

irq=${said##*/proc/jitirq: interrupt }
echo "$last" >"/proc/irq/${irq%% *}/smp_affinity_list"
taskset -p 1 $$ >/dev/null
printf reader >/proc/self/comm
# The first one moves the interrupt to its CPU, and brings code into the caches.
show >/dev/null

printf '\nEvery CPU is idle:\n'
show

keep_busy &
taskset -p "$(printf %x $((1 << last)))" $! >/dev/null
printf '\nA process, hog, keeps CPU %d busy:\n' "$last"
show >/dev/null
show
kill $!
wait $! 2>/dev/null || :

rmmod jit_edu jitasklet
