#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kbuild.sh SOURCE OUT [ARGUMENTS]: builds an out-of-tree module with Kbuild, with both paths below
# the checkout. Runs in the build root: see enter.sh.

set -euo pipefail

: "${2?"usage: kbuild.sh SOURCE OUT [ARGUMENTS]"}"
. /jitasklet/scripts/debian.sh

mkdir -p "/jitasklet/$2"
# The type information in BTF would need the kernel's own, which is in no package that is used here.
exec make --no-print-directory -C /kernel/build "$(compiler_of /kernel/build)" \
	CONFIG_DEBUG_INFO_BTF_MODULES= M="/jitasklet/$1" MO="/jitasklet/$2" "${@:3}"
