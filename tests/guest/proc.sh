#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# proc.sh BUILD: unrelated programs read all of /proc while the two files are there, in the guest:
# the kernel's selftests, and stress-ng. guest.sh --load gives it the latter.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=${1?"usage: proc.sh BUILD"}/jitasklet.ko
tests=$1/tests
# The reader itself schedules its tasklet, whose callback identifies it as ours.
probes=/sys/kernel/tracing/events/jitasklet
readers='hist:keys=comm,func.sym'

# have_read COMM FILES: succeeds if tasks of that name have read that many of the two files since
# the last count_anew.
have_read() {
	awk -v comm="$1" -v files="$2" '
	index($0, "{ comm: " comm) && /Measurement/ { reads[FILENAME ~ /hi.hist$/] += $NF }
	END {
		printf "# %s: %d reads of jitasklet, %d of jitasklethi\n", comm, reads[0], reads[1]
		exit (reads[0] > 0) + (reads[1] > 0) < files
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
	count_anew && "${as[@]}" "$tests/proc-read" && have_read proc-read 2
}

# stress-ng reads in its own order, until it comes across one of the files. The other may take
# minutes. Most of /proc consists of the directories of processes, so it runs in a PID namespace,
# where there are few.
in_pid_namespace() {
	cd /tmp || return
	"$@" stress-ng --quiet --procfs 2 &
	read -r _
	kill "$!"
	wait "$!"
}
export -f in_pid_namespace

stress_ng() {
	local status=0
	count_anew || return
	coproc unshare --pid --fork --mount-proc bash -c 'in_pid_namespace "$@"' bash "${as[@]}"
	# Checking takes CPU time from stress-ng.
	# shellcheck disable=SC2153 # COPROC_PID comes with coproc
	until have_read stress-ng-procf 1 >/dev/null || ! kill -0 "$COPROC_PID"; do
		sleep 0.2
	done
	echo >&"${COPROC[1]}"
	wait "$COPROC_PID" || status=$?
	have_read stress-ng-procf 1 && return "$status"
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
	check "the kernel's selftest reads all of /proc as $who" reads_all
	check "stress-ng reads /proc as $who until it has read a file of ours" stress_ng
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
done
check "the kernel's selftest of a /proc with processes only" "$tests/proc-subset-pid"
check 'all of stress-ng has ended' no_stress_ng
rmmod jitasklet
end
