#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# shell.sh KERNEL [KVER]: builds the module, or the one in the directory MODULE, boots its kernel,
# and runs a shell in the guest. If standard input is not a terminal, the shell reads its commands
# from there.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$("$top/scripts/build.sh" "$@")
if [ -t 0 ] && [ -t 1 ]; then
	exec "$top/scripts/guest.sh" --load "$out"
fi
commands=$(cat || true)
exec "$top/scripts/guest.sh" --load "$out" shell 600 \
	". scripts/guest/bashrc.sh; $commands"
