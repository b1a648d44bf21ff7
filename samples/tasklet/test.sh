#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: tests the driver in the guest.

. /jitasklet/tests/ktap.sh

ran() {
	insmod "$JIT_MODULE/driver.ko" || return
	until dmesg | grep 'driver: ran 100 times'; do
		sleep 0.1
	done
}

# Its tasklet may be anywhere between two runs.
reloads() {
	for _ in {1..20}; do
		insmod "$JIT_MODULE/driver.ko" && rmmod driver || return
	done
}

plan 3
check 'its tasklet runs' ran
check 'it unloads' rmmod driver
check 'it unloads while its tasklet runs' reloads
end
