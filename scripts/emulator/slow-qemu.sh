#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# slow-qemu.sh ARGUMENT...: QEMU, which runs for 25 ms and is stopped for 75 ms, again and again, as
# a virtual machine on a crowded host is. virtiofsd, which is not stopped, answers it at once.

set -euo pipefail

: "${1?"usage: slow-qemu.sh ARGUMENT..."}"

throttle() {
	while sleep 0.025 && kill -STOP "$1" && sleep 0.075; do
		kill -CONT "$1"
	done
}

throttle $$ </dev/null >/dev/null 2>&1 &
exec /usr/bin/qemu-system-x86_64 "$@"
