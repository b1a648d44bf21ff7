#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# idle.sh: a read on a machine that has nothing else to do.

. "${BASH_SOURCE[0]%/*}/experiment.sh"

expect 'in most reads ksoftirqd runs all five, at once: no timer tick lies between the' \
	'schedule and the first run.'
reads jitasklet 20
reads jitasklethi 20
finish
