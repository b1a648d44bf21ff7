#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# checkpatch.sh FILE...: the kernel's checkpatch.pl on files of the checkout. Runs in the build
# root: see enter.sh.

set -euo pipefail

: "${1?"usage: checkpatch.sh FILE..."}"
cd /jitasklet
failed=0
# ENOSYS: a seccomp filter may answer what only the kernel should.
for file; do
	/kernel/source/scripts/checkpatch.pl --no-tree --terse --strict --no-summary \
		--max-line-length=100 --ignore ENOSYS --show-types -f "$file" || failed=1
done
exit "$failed"
