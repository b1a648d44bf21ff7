#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-demo.sh MODULE: what 'make demo' does in the guest.

set -euo pipefail

show() {
	printf '\n$ cat /proc/%s\n' "$1"
	cat "/proc/$1"
}

uname -a
insmod "$1"

printf '\nEvery CPU is idle:\n'
show jitasklet
show jitasklethi

printf '\nEvery CPU runs a busy process (an endless loop in bash):\n'
busy=()
for _ in $(seq "$(nproc)"); do
	while :; do :; done &
	busy+=($!)
done
show jitasklet
show jitasklethi
kill "${busy[@]}"
wait "${busy[@]}" 2>/dev/null || true

rmmod jitasklet
printf '\nThe kernel log about the module:\n'
dmesg | grep jitasklet: || echo '(nothing)'
