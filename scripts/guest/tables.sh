#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tables.sh MODULE: what 'make demo' does in the guest. After the line "data: EXPERIMENT" comes
# the trace of an experiment of the lab, for lab/observe.py.

set -euo pipefail

: "${1?"usage: tables.sh MODULE"}"

show() {
	printf '\n$ cat /proc/%s\n' "$1"
	cat "/proc/$1"
}

uname -a
insmod "$1"
printf '\nThe kernel log about the module:\n'
dmesg | grep jitasklet: || echo '(nothing)'

printf '\nEvery CPU is idle:\n'
show jitasklet
show jitasklethi

# On PREEMPT_RT a softirq needs a thread, which would wait for the hog.
case $(</proc/version) in
*PREEMPT_RT*) experiment=busy ;;
*) experiment=hog ;;
esac
LAB_DIR=/tmp LAB_READS=10 "lab/$experiment.sh"
rmmod jitasklet
echo "data: $experiment"
cat "/tmp/$experiment.trace"
