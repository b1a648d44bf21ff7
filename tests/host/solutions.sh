#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# solutions.sh: tests the exercises of docs/lab.md without and with their solutions.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-lab.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# A copy of the checkout, with the solutions applied.
solved() {
	copy_checkout "$tmp/solved"
	cd "$tmp/solved" && git apply lab/teacher/*.patch
}

# Its output would look like results of this suite.
lab_check() {
	make -C "$1" lab-check | sed 's/^/# /'
}

plan 3
check 'without any exercise, lab-check says so' fails_with 'No exercise is done yet' \
	make -C "$top" lab-check
check 'the solutions apply' solved
check 'with them, lab-check passes' lab_check "$tmp/solved"
end
