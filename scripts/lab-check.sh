#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab-check.sh KERNEL [KVER]: builds the module as it is, boots its kernel, and says which exercises
# of docs/lab.md are done. Exits non-zero unless all are.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$("$top/scripts/build.sh" "$@") ||
	die "the module does not build, so the exercises cannot be checked." \
		"Correct the errors above first."
exec "$top/scripts/guest.sh" "$out" lab-check 1000 \
	bash lab/exercises.sh "build/${out##*/}/jitasklet.ko"
