#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# faults.sh BUILD: loads the module and reads the files while an allocation fails, in the guest:
# first the first allocation, then the second, and so on to the last.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=${1?"usage: faults.sh BUILD"}/jitasklet.ko
walk=$1/tests/walk
tracing=/sys/kernel/tracing
faults=/sys/kernel/debug

# Makes allocations of any size fail, also those that may sleep. The trace gets the stack of each.
set_up() {
	local setting event
	for setting in failslab/ignore-gfp-wait fail_page_alloc/ignore-gfp-{wait,highmem} \
		fail_page_alloc/min-order {failslab,fail_page_alloc}/verbose; do
		[ ! -e "$faults/$setting" ] || echo 0 >"$faults/$setting" || return
	done
	echo 1 >"$tracing/tracing_on" && echo 16384 >"$tracing/buffer_size_kb"
	echo 1 >"$tracing/options/sym-addr"
	for event in kmalloc kmem_cache_alloc; do
		echo 'stacktrace if ptr == 0' >"$tracing/events/kmem/$event/trigger" || return
	done
	echo 'stacktrace if pfn == 0xffffffffffffffff' >"$tracing/events/kmem/mm_page_alloc/trigger"
}

# Counts the failed allocations below the module's code: no other module is loaded, so that is any
# address in the kernel's module area. If one fails, the result must be ENOMEM, unless a debugging
# tool made it for its own use.
own_sites() {
	awk -v thing="$1" '
	/tracing_mark_write.*: begin/ { own = ""; begun++ }
	/<stack trace>/ { above = ""; tool = 0 }
	/^ => (kmemleak|debug_object|stack_depot|fill_pool|kasan|lockdep)/ { tool = 1 }
	/^ => / && !tool {
		if (match($0, /<ffffffff[a-f][0-9a-f]+>$/)) {
			address = substr($0, RSTART + 1, 16)
			if (address >= "ffffffffa0000000" && own == "")
				own = above
		}
		above = $2
	}
	/tracing_mark_write.*: end/ {
		if (own != "") {
			sites++
			where[own]++
			bad += $NF != "ENOMEM"
		}
	}
	END {
		print "# " thing ": " sites + 0 " of them below code of the module"
		for (own in where)
			print "# " thing ": " where[own] " in " own
		exit bad || !begun || (thing == "load" && !sites)
	}' "$tracing/trace"
}

walk() {
	: >"$tracing/trace"
	"$walk" "$1" "$2" && own_sites "$1"
}

walk_read() {
	insmod "$ko" bh=1 && walk read "/proc/$1" && rmmod jitasklet
}

# warned NAME COMMAND...: as check, but the kernel may report failed allocations, with stacks.
warned() {
	local name=$1 said
	shift
	dmesg -c >/dev/null
	echo 'jitasklet-test: expect' >/dev/kmsg
	silently() {
		local status=0
		"$@" || status=$?
		echo 'jitasklet-test: expected' >/dev/kmsg
		said=$(dmesg -c | awk '
			/jitasklet-test:/ { next }
			/(vmalloc error|page allocation failure):/ { out_of_memory = 1 }
			/Call Trace:/ && out_of_memory { out_of_memory = 0; next }
			{ print }' | "$splats")
		[ -z "$said" ] || { status=1; echo "# ${said//$'\n'/$'\n'# }"; }
		return "$status"
	}
	check "$name" silently "$@"
}

faults_are_there() {
	[ -e /proc/self/fail-nth ] && [ -e "$faults/failslab" ]
}

plan 4
if faults_are_there; then
	set_up || exit
	warned 'load: every allocation fails in turn' walk load "$ko"
	warned 'jitasklet: every allocation of a read fails in turn' walk_read jitasklet
	warned 'jitasklethi: every allocation of a read fails in turn' walk_read jitasklethi
	warned 'jitbh: every allocation of a read fails in turn' walk_read jitbh
else
	for thing in load jitasklet jitasklethi jitbh; do
		skip "$thing: every allocation fails in turn" \
			'the kernel has no CONFIG_FAULT_INJECTION'
	done
fi
end
