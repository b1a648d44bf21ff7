#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: tests the module in the guest.

. /jitasklet/tests/ktap.sh

# says SUM [PARAMETER...]: loads and unloads the module, which must print this sum.
says() {
	insmod "$JIT_MODULE/mixed.ko" "${@:2}" && rmmod mixed &&
		dmesg | grep "the sum is $1, at [0-9]* ms"
}

plan 3
check 'it adds up ten numbers' says 55
check 'it adds up other numbers' says 5050 up_to=100
check 'it refuses a number that is none' fails_with 'Invalid' insmod "$JIT_MODULE/mixed.ko" up_to=x
end
