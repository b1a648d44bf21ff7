#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh KERNEL [KVER]: builds the module, boots its kernel, and prints both tables.

. "${BASH_SOURCE[0]%/*}/lib.sh"

out=$("$top/scripts/build.sh" "$@")
exec "$top/scripts/guest.sh" "$out" demo 120 \
	bash scripts/guest-demo.sh "build/${out##*/}/jitasklet.ko"
