#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# load-test.sh: what 'make check M=' tests if it gets no TEST=: the modules load and unload, the
# kernel is silent meanwhile and, on a kernel with kmemleak, nothing is leaked.

. /jitasklet/tests/ktap.sh

plan 2
check 'the modules load' bash /jitasklet/scripts/guest/module.sh load
check 'the modules unload' bash /jitasklet/scripts/guest/module.sh unload
end
