#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# compile.sh: reads while a compile runs in the guest, as in the book's sample.

. "${BASH_SOURCE[0]%/*}/experiment.sh"
. "$LAB_TOP/scripts/debian.sh"

expect 'in most reads ksoftirqd runs all five, before the next tick. Rows in a program of the' \
	'compile, as in the book, are rare.'

compile_all() {
	local dir=/tmp/compile n
	mkdir -p "$dir"
	cd "$dir"
	for n in {1..8}; do
		cp "$LAB_TOP/tests/guest/reader.c" "$n.c"
	done
	while :; do make -B -j $((last + 1)) CC="$gcc_package" {1..8}.o; done >/dev/null
}

rm -f /tmp/compile/1.o
start compile compile_all
until [ -s /tmp/compile/1.o ]; do sleep 0.1; done
# At varying intervals, to meet different parts of the compile.
for ((i = 0; i < 30; i++)); do
	reads jitasklet 2
	sleep 0.1
done
stop
finish
