#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# plain-make.sh WORK ARGUMENT...: a plain make of the module for a KDIR, in a copy in WORK, a path
# below the checkout, as it builds where the sources are. Where modules are signed, the distribution
# has the key. Runs in the build root.

set -euo pipefail

: "${1?"usage: plain-make.sh WORK ARGUMENT..."}"
. /jitasklet/scripts/compilers.sh

work=/jitasklet/$1
shift
cd /jitasklet
cp -r Makefile Kbuild ./*.rs helpers scripts "$work"
make -C "$work" --no-print-directory -s KDIR=/kernel/build "$(compiler_of /kernel/build)" \
	CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_MODULE_SIG_ALL= CONFIG_MODULE_COMPRESS_ALL= \
	DEPMOD=true INSTALL_MOD_PATH="$work/installed" "$@"
