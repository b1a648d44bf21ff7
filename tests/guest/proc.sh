#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# proc.sh BUILD: strangers read all of /proc while the two files are there, in the guest: the
# kernel's own programs that do so, and stress-ng's. guest.sh --load gives it the latter.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=$1/jitasklet.ko
tests=$1/tests
# Each measurement sets up one tasklet, in its reader; the symbol of the callback tells the file.
probe=/sys/kernel/tracing/events/jitasklet/measures
readers='hist:keys=comm,func.sym'

# read_both COMM: whether tasks of that name have read both files since they were last counted.
read_both() {
	awk -v comm="$1" '
	index($0, "{ comm: " comm) {
		normal += /MeasurementKb0_/ ? $NF : 0
		hi += /MeasurementKb1_/ ? $NF : 0
	}
	END {
		printf "# %s: %d reads of jitasklet, %d of jitasklethi\n", comm, normal, hi
		exit !(normal && hi)
	}' "$probe/hist"
}

count_anew() {
	echo "!$readers" >>"$probe/trigger"
	echo "$readers" >>"$probe/trigger"
}

reads_all() {
	count_anew && "${as[@]}" "$tests/proc-read" && read_both proc-read
}

# It reads in an order of its own, for as long as it takes to come across both files.
stress_ng() {
	local pid status=0
	count_anew || return
	(cd /tmp && exec "${as[@]}" stress-ng --quiet --procfs 2) &
	pid=$!
	until read_both stress-ng-procf >/dev/null; do
		kill -0 "$pid" || return
		sleep 1
	done
	kill "$pid"
	wait "$pid" || status=$?
	read_both stress-ng-procf
	return "$status"
}

no_stress_ng() {
	! grep -l stress-ng /proc/[0-9]*/comm 2>/dev/null
}

insmod "$ko" || exit
echo "p:jitasklet/measures tasklet_setup func=\$arg2:symbol comm=\$comm" \
	>>/sys/kernel/tracing/dynamic_events && echo "$readers" >>"$probe/trigger" || exit
plan 6
as=()
for who in root nobody; do
	t "the kernel's selftest reads all of /proc as $who" reads_all
	t "stress-ng reads all of /proc as $who" stress_ng
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
done
t "the kernel's selftest of a /proc that has processes only" "$tests/proc-subset-pid"
t 'all of stress-ng has ended' no_stress_ng
rmmod jitasklet
end
