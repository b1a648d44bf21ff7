#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# splats.sh [LOG]: prints the lines of a kernel log in which the kernel complains about a defect,
# and nothing if there are none. A test that provokes a complaint brackets it in the log with the
# lines "jitasklet-test: expect" and "jitasklet-test: expected", and looks for it there itself.

set -euo pipefail

awk '
{ sub(/\r$/, "") }
/jitasklet-test: expect$/ { expected = 1 }
/jitasklet-test: expected$/ { expected = 0 }
expected { next }
/BUG:|kernel BUG at|BUG kmalloc|WARNING:|WARNING [^:]*:|Oops|general protection fault/ ||
/Kernel panic|KASAN|KFENCE|KCSAN|KMSAN|UBSAN|kmemleak: [1-9]|unreferenced object/ ||
/(possible|inconsistent) .*(lock|deadlock)|suspicious RCU|held lock freed|DEBUG_LOCKS_WARN/ ||
/scheduling while atomic|sleeping function called|Voluntary context switch within RCU/ ||
/rcu.*(stall|self-detected)|soft lockup|hard LOCKUP|blocked for more than|hung_task:/ ||
/list_(add|del) corruption|refcount_t:|ODEBUG:|bad unlock balance/ ||
/[Uu]nable to handle|Modules linked in:|Call Trace:|cut here/
' "${1--}"
