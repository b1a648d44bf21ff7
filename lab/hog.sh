#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# hog.sh: a real-time process holds the reader's CPU, and ksoftirqd cannot run: the book's table.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

not_on_rt
expect 'in some reads the first run is at the next tick, in the hog: its pid, inirq 1, delta 1' \
	'or more. No run is in ksoftirqd.'
hold
hog_ready
go
reads jitasklet "$count"
reads jitasklethi "$count"
finish
