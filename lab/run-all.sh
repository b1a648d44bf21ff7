#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run-all.sh EXPERIMENT...: runs experiments in the guest for 'make lab'. Prints how far it is, then
# a line "data:", and then all their traces as an archive in base64.

set -uo pipefail

: "${1?"usage: run-all.sh EXPERIMENT..."}"

export LAB_DIR=/tmp/lab
rm -rf "$LAB_DIR"
mkdir "$LAB_DIR"
n=0 failed=0
for experiment; do
	n=$((n + 1)) began=$SECONDS
	printf '  %s of %s: %-8s ' "$n" $# "$experiment"
	if timeout 1000 "${BASH_SOURCE[0]%/*}/$experiment.sh"; then
		echo "done in $((SECONDS - began)) s"
	else
		echo "failed after $((SECONDS - began)) s, with status $?"
		failed=1
	fi
done
echo 'data:'
tar -C "$LAB_DIR" -cz . | base64
exit "$failed"
