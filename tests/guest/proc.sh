#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# proc.sh BUILD: strangers read all of /proc while the two files are there, in the guest: the
# kernel's own programs that do so, and stress-ng's. guest.sh --load gives it the latter.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=$1/jitasklet.ko
tests=$1/tests
# The reader itself schedules its tasklet, the callback of which tells that it is ours.
probes=/sys/kernel/tracing/events/jitasklet
readers='hist:keys=comm,func.sym'

# read_both COMM: whether tasks of that name have read both files since they were last counted: 1 if
# not yet, 2 if they have read one of them so often that they never will read the other.
read_both() {
	awk -v comm="$1" '
	index($0, "{ comm: " comm) && /Measurement/ { reads[FILENAME ~ /hi.hist$/] += $NF }
	END {
		printf "# %s: %d reads of jitasklet, %d of jitasklethi\n", comm, reads[0], reads[1]
		exit reads[0] && reads[1] ? 0 : reads[0] + reads[1] > 200 ? 2 : 1
	}' "$probes"/{normal,hi}/hist
}

count_anew() {
	local probe
	for probe in normal hi; do
		echo "!$readers" >>"$probes/$probe/trigger" 2>/dev/null
		echo "$readers" >>"$probes/$probe/trigger" || return
	done
}

reads_all() {
	count_anew && "${as[@]}" "$tests/proc-read" && read_both proc-read
}

# It reads in an order of its own, for as long as it takes to come across both files.
stress_ng() {
	local pid both=1 status=0
	count_anew || return
	(cd /tmp && exec "${as[@]}" stress-ng --quiet --procfs 2) &
	pid=$!
	while [ "$both" -eq 1 ] && kill -0 "$pid"; do
		both=0
		read_both stress-ng-procf >/dev/null || both=$?
	done
	kill "$pid"
	wait "$pid" || status=$?
	read_both stress-ng-procf && return "$status"
}

no_stress_ng() {
	! grep -l stress-ng /proc/[0-9]*/comm 2>/dev/null
}

insmod "$ko" || exit
# The callback is at offset 24 of a tasklet_struct.
for probe in 'normal __tasklet_schedule' 'hi __tasklet_hi_schedule'; do
	echo "p:jitasklet/$probe func=+24(\$arg1):symbol comm=\$comm" \
		>>/sys/kernel/tracing/dynamic_events || exit
done
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
