#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# suites.sh BUILD SUITE...: runs suites one after another, in the guest. Prints a line "# suite
# NAME" before each, and how it ended after it. load.sh runs a thousandth of the counts of
# stress.sh.

set -uo pipefail

build=/jitasklet/${1?"usage: suites.sh BUILD SUITE..."} failed=0
shift

busybox sh "${BASH_SOURCE[0]%/*}/in-memory.sh" "$build" || exit
PATH=/tmp/bin:$PATH

for suite; do
	echo "# suite $suite"
	began=$SECONDS status=0 share=()
	[ "$suite" != load ] || share=(1000)
	bash "${BASH_SOURCE[0]%/*}/$suite.sh" /tmp/build "${share[@]}" || status=$?
	echo "# ended with $status after $((SECONDS - began)) s"
	[ "$status" -eq 0 ] || failed=1
done
exit "$failed"
