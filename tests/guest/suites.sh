#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# suites.sh BUILD SUITE...: runs suites one after another, in the guest. Prints a line "# suite
# NAME" before each, and how it ended after it. A suite that needs options that the kernel lacks is
# skipped. load.sh runs a thousandth of the counts of stress.sh.

set -uo pipefail

here=${BASH_SOURCE[0]%/*} top=${BASH_SOURCE[0]%/*}/../..
build=/jitasklet/${1?"usage: suites.sh BUILD SUITE..."} failed=0
shift

busybox sh "$here/in-memory.sh" "$build" || exit
PATH=/tmp/bin:$PATH

for suite; do
	echo "# suite $suite"
	began=$SECONDS status=0 share=()
	lacking=$("$top/scripts/lacking.sh" /kernel/build/.config "$here/config" "$suite" | xargs)
	if [ -n "$lacking" ]; then
		printf '%s\n' 'KTAP version 1' '1..1' \
			"ok 1 all tests # SKIP this kernel lacks $lacking" \
			'# end of suite' '# ended with 0 after 0 s'
		continue
	fi
	[ "$suite" != load ] || share=(1000)
	bash "$here/$suite.sh" /tmp/build "${share[@]}" || status=$?
	echo "# ended with $status after $((SECONDS - began)) s"
	[ "$status" -eq 0 ] || failed=1
done
exit "$failed"
