#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# two.sh: two readers at the same time, each on a CPU of its own, and so two tasklets.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

((last > 0)) || { echo 'two: there is one CPU only' >&2; exit 1; }

expect 'runs of the two tasklets overlap in time, on two CPUs; runs of one tasklet never do.'
read_on() {
	# A mark fails while the trace is off.
	set +e
	while :; do
		echo "read jitasklet" >&"$marker"
		mapfile -t table <jitasklet
		printf 'row %s\n' "${table[@]:1}" >&"$marker"
	done 2>&"$null"
}
start another read_on
on_cpu 0 $!
on_cpu 1
# Many, as on a busy machine the two CPUs of the guest seldom run at the same time.
reads jitasklet 300
finish
