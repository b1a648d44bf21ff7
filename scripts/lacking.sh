#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lacking.sh CONFIG FILE [SUITE]: prints the lines of FILE, a fragment of a configuration, that the
# configuration CONFIG lacks. The comment above an option may name suites (trace.sh): only they need
# the option; and other options (CONFIG_...): if the kernel has all of these, they will do instead.
# With SUITE, prints only what this suite needs. The host and the guest call this.

set -euo pipefail

: "${2?"usage: lacking.sh CONFIG FILE [SUITE]"}"

awk -v suite="${3-}" '
NR == FNR { has[$0] = 1; next }
/^#/ {
	if (!comment++)
		its = others = met = 0
	for (i = 2; i <= NF; i++) {
		gsub(/[^A-Za-z0-9_.]/, "", $i)
		its = its || $i == suite ".sh"
		if ($i ~ /^CONFIG_/) {
			others++
			met += ($i "=y") in has
		}
	}
	next
}
{ comment = 0 }
/^CONFIG_/ && !($0 in has) && (suite == "" || its) && !(others && met == others)
' "$1" "$2"
