#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# slow-qemu.sh ARGUMENT...: runs QEMU for 25 ms and stops it for 75 ms, again and again, like a
# virtual machine on an overloaded host. virtiofsd is not stopped, and answers at once.

set -euo pipefail

: "${1?"usage: slow-qemu.sh ARGUMENT..."}"

throttle() {
	while sleep 0.025 && kill -STOP "$1" && sleep 0.075; do
		kill -CONT "$1"
	done
}

throttle $$ </dev/null >/dev/null 2>&1 &
exec /usr/bin/qemu-system-x86_64 "$@"
