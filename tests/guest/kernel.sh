#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh BUILD: loads the module jitasklet_test, in the guest, which runs its tests and prints
# the results to the kernel log.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=${1?"usage: kernel.sh BUILD"}/tests/kernel/jitasklet_test.ko

# Prints the module's KTAP from the log. A splat fails the test whose result comes next.
report() {
	awk -v complaints="$("$splats" <<<"$1")" '
	BEGIN {
		count = split(complaints, lines, "\n")
		for (i = 1; i <= count; i++)
			complaint[lines[i]] = 1
	}
	$0 in complaint { print "# " $0; complained = 1 }
	!sub(/^\[[^]]*\] jitasklet_test: /, "") { next }
	/^ok/ && complained { $0 = "not " $0 }
	/^(not )?ok/ { complained = 0; print }
	/^# / && !/^# end of suite/
	' <<<"$1"
}

dmesg -c >/dev/null
insmod "$ko"
rmmod jitasklet_test
log=$(dmesg -c)

ktap_number=$(sed -nE 's/.*jitasklet_test: 1\.\.([0-9]+)$/\1/p' <<<"$log")
plan "$ktap_number"
results=$(report "$log")
echo "$results"
! grep -q '^not ok' <<<"$results" || ktap_failed=1
grep -q 'jitasklet_test: # end of suite' <<<"$log" || exit 1
end
