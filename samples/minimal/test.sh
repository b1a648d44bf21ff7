#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: tests the module in the guest.

. /jitasklet/tests/ktap.sh

plan 2
check 'it loads' insmod "$JIT_MODULE/minimal.ko"
check 'it unloads' rmmod minimal
end
