#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# faults.sh BUILD: what becomes of a load and of a read when an allocation fails, in the guest. Each
# allocation fails in turn: the first one, the second one, until there are no more.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=$1/jitasklet.ko
nth=$1/tests/nth
reader=$1/tests/reader
tracing=/sys/kernel/tracing
faults=/sys/kernel/debug

# Allocations of any size that may wait fail too. A failed one leaves its stack in the trace.
set_up() {
	local knob event
	for knob in failslab/ignore-gfp-wait fail_page_alloc/ignore-gfp-{wait,highmem} \
		fail_page_alloc/min-order {failslab,fail_page_alloc}/verbose; do
		[ ! -e "$faults/$knob" ] || echo 0 >"$faults/$knob" || return
	done
	echo 8192 >"$tracing/buffer_size_kb"
	echo 1 >"$tracing/options/sym-addr"
	for event in kmalloc kmem_cache_alloc; do
		echo 'stacktrace if ptr == 0' >"$tracing/events/kmem/$event/trigger" || return
	done
	echo 'stacktrace if pfn == -1' >"$tracing/events/kmem/mm_page_alloc/trigger"
}

are_gone() {
	! ls -d /proc/jitasklet* 2>/dev/null && ! grep jitasklet /proc/modules
}

# walk THING PATH AFTER: the allocations of one thing, one after the other; AFTER, a function that
# gets the errno, looks at what a run leaves and makes ready for the next.
walk() {
	local n said how errno whole=0 errors=0
	: >"$tracing/trace"
	for ((n = 1; n < 2000; n++)); do
		said=$("$nth" "$n" "$1" "$2") || return
		read -r how errno <<<"$said"
		"$3" "$errno" || { echo "# after $1 with fault $n: $said"; return 1; }
		[ "$how" = failed ] || break
		[ "$errno" = 0 ] && whole=$((whole + 1)) || errors=$((errors + 1))
	done
	[ "$how $errno" = 'whole 0' ] || { echo "# the last one: $said"; return 1; }
	echo "# $1: $((n - 1)) failed sites: $errors times it failed, $whole times it did without"
	[ "$errors" -gt 0 ]
}

after_load() {
	case $1 in
	0) rmmod jitasklet && are_gone ;;
	*) are_gone ;;
	esac
}

after_read() {
	case $1 in
	0 | ENOMEM) "$reader" /proc/jitasklet many 1 ;;
	*) return 1 ;;
	esac
}

# Of the stacks in the trace, those with a frame of ours: no other module is loaded, so that is any
# address in the modules' part of the kernel's. Our own allocations always give ENOMEM.
own_sites() {
	awk -v thing="$1" '
	/tracing_mark_write: begin/ { own = ""; begun++ }
	/<stack trace>/ { above = "" }
	/^ => / {
		if (match($0, /<ffffffff[a-f][0-9a-f]+>$/)) {
			address = substr($0, RSTART + 1, 16)
			if (address >= "ffffffffa0000000" && own == "")
				own = above
		}
		above = $2
	}
	/tracing_mark_write: end/ {
		if (own != "") {
			sites++
			print "# " thing ": below our code: " own ": " $NF
			bad += $NF != "ENOMEM"
		}
	}
	END {
		print "# " thing ": " sites + 0 " of them below our own code"
		exit bad || !begun
	}' "$tracing/trace"
}

walk_load() {
	walk load "$ko" after_load && own_sites load
}

walk_read() {
	insmod "$ko" && walk read "/proc/$1" after_read && own_sites "$1" && rmmod jitasklet
}

faults_are_there() {
	[ -e /proc/self/fail-nth ] && [ -e "$faults/failslab" ]
}

plan 3
if faults_are_there; then
	set_up || exit
	t 'load: every allocation fails in turn' walk_load
	t 'jitasklet: every allocation of a read fails in turn' walk_read jitasklet
	t 'jitasklethi: every allocation of a read fails in turn' walk_read jitasklethi
else
	for thing in load jitasklet jitasklethi; do
		skip "$thing: every allocation fails in turn" \
			'the kernel has no CONFIG_FAULT_INJECTION'
	done
fi
end
