#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pinned.sh: the reader on each CPU in turn.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

expect 'in every read all six rows are on one CPU, the one that the reader was pinned to.'
for ((cpu = 0; cpu <= last; cpu++)); do
	on_cpu "$cpu"
	mark pinned "$cpu"
	reads jitasklet 10
	reads jitasklethi 10
done
finish
