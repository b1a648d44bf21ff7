#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# load.sh BUILD SHARE [GROUP...]: tests the files under load, and that memory is freed, in the
# guest. All counts are divided by SHARE. By default all groups run. Needs a guest with --load.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"
. "${BASH_SOURCE[0]%/*}/../../lab/ftrace.sh"

: "${1?"usage: load.sh BUILD [SHARE [GROUP...]]"}"
build=$(realpath "$1")
ko=$build/jitasklet.ko
reader=$build/tests/reader
share=$2
shift 2
[ $# -gt 0 ] || set -- reads storm kills reload crowd busy memory
cpus=$(busybox nproc)
kasan=$(grep -o ' kasan_report$' /proc/kallsyms)
declare -A results=([reads]=2 [storm]=2 [kills]=2 [reload]=2 [crowd]=1 [busy]=2 [memory]=2)

# share_of COUNT LEAST: prints COUNT / SHARE, rounded to ten batches of at least LEAST.
share_of() {
	local batch=$(($1 / share / 10))
	echo $((10 * (batch < $2 ? $2 : batch)))
}

# both HOW COUNT: reads both files at once, each with as many readers as there are CPUs.
both() {
	local first failed=0
	"$reader" /proc/jitasklet "$1" $(($2 / 2)) "$cpus" &
	first=$!
	"$reader" /proc/jitasklethi "$1" $(($2 - $2 / 2)) "$cpus" || failed=1
	wait "$first" && return "$failed"
}

# Sets $now to the kernel's memory in KiB, without caches that it can drop. Starts no program: this
# runs so often that it would take longer than the rest.
kernel_memory() {
	local lines line
	mapfile -t lines </proc/meminfo
	now=0
	for line in "${lines[@]}"; do
		case $line in
		Slab:* | KernelStack:* | PageTables:* | Percpu:* | VmallocUsed:*)
			now=$((now + ${line//[^0-9]/}))
			;;
		esac
	done
}

# Prints the kernel's memory once RCU has freed what it can: when three barriers have freed nothing.
settled_memory() {
	local now least same=0
	echo 2 >/proc/sys/vm/drop_caches
	kernel_memory
	least=$now
	while [ "$same" -lt 3 ]; do
		echo 1 >/sys/module/rcutree/parameters/do_rcu_barrier
		kernel_memory
		same=$((same + 1))
		[ "$now" -ge "$least" ] || { least=$now same=0; }
	done
	echo "$least"
}

# Adds up the figures in lines like "# /proc/jitasklet: 10 whole tables, 3 times EINTR".
sum_up() {
	awk '
	!/^# / { next }
	{
		sub(/^# ([^ ]*: )?/, "")
		parts = split($0, part, ", ")
		for (i = 1; i <= parts; i++) {
			number = part[i] + 0
			sub(/^[0-9]+ /, "", part[i])
			if (!(part[i] in sum))
				order[++kinds] = part[i]
			sum[part[i]] += number
		}
	}
	END {
		for (i = 1; i <= kinds; i++)
			printf "%s%d %s", (i > 1 ? ", " : "# "), sum[order[i]], order[i]
		print ""
	}'
}

# batches COUNT COMMAND...: runs the command ten times, with a tenth of COUNT, and prints the sums
# of its figures. After each batch, appends the kernel's memory to $memory, unless KASAN delays
# frees.
batches() {
	local count=$1 i said=''
	shift
	memory=()
	for ((i = 1; i <= 10; i++)); do
		said+=$("$@" $((count / 10)))$'\n' || { echo "$said"; return 1; }
		[ -n "$kasan" ] || memory+=("$(settled_memory)")
		[ "$share" -ge 100 ] || echo "# batch $i of 10 done"
	done
	sum_up <<<"$said"
}

# no_slope COUNT: fits a line to the memory after each batch, by least squares. The smallest object
# that can leak has 8 bytes, so a slope below 1 byte per operation is not a leak. The floor allows
# for the kernel's own caches, which vary by more than that if there are few operations.
no_slope() {
	awk -v count="$1" -v floor=512 '
	NF != 10 { print "# there are not ten batches"; exit 1 }
	{
		for (i = 1; i <= NF; i++) {
			x += i
			y += $i
			xx += i * i
			xy += i * $i
		}
		slope = (NF * xy - x * y) / (NF * xx - x * x)
		bound = count / 1024 > floor ? count / 1024 : floor
		print "# KiB after each batch: " $0
		printf "# slope: %.1f KiB in ten batches, %.2f bytes each; ",
			10 * slope, 10240 * slope / count
		printf "bound: %d KiB, %.2f bytes\n", bound, 1024 * bound / count
		exit 10 * slope >= bound
	}' <<<"${memory[*]}"
}

# counted NAME COUNT COMMAND...: tests the command in batches, and that they leak no memory.
counted() {
	local name=$1
	shift
	check "$name" batches "$@"
	name+=': memory has no slope'
	if [ -n "$kasan" ]; then
		skip "$name" 'KASAN delays frees'
	else
		check "$name" no_slope "$1"
	fi
}

reads() {
	counted 'checked reads' "$(share_of 1000000 10)" both many
}

storm() {
	counted 'reads in a signal storm' "$(share_of 100000 10)" both storm
}

kills() {
	counted 'readers killed' "$(share_of 10000 $((2 * cpus)))" both kill
}

reload() {
	rmmod jitasklet
	counted 'loads and unloads while eight readers loop' "$(share_of 1000 1)" \
		reloads
	insmod "$ko"
}

reloads() {
	"$reader" "$ko" reload "$1" 8
}

crowd() {
	check '256 readers at once' crowds 256
}

crowds() {
	"$reader" /proc/jitasklet crowd "$1" && "$reader" /proc/jitasklethi crowd "$1"
}

# Prints a disk whose driver is built into the kernel: the guest has no others.
disk() {
	local disk
	for disk in /dev/nvme0n1 /dev/vda; do
		[ ! -b "$disk" ] || echo "$disk"
	done
}

requests() {
	while dd if="$1" of=/dev/null bs=4k count=1000 iflag=direct status=none; do :; done
}

# under_load COUNT: reads until there were COUNT reads, 100 softirqs for packets and, if there is a
# disk, 100 for its requests.
under_load() {
	local disk whole=0 tenths=0 net=0 before_net before_block pids=() status=0
	disk=$(disk)
	ip link set lo up || return
	before_net=$(count_softirqs NET_RX) before_block=$(count_softirqs BLOCK)
	stress-ng --quiet --procfs 1 --udp 1 &
	pids=($!)
	[ -z "$disk" ] || { requests "$disk" & pids+=($!); }
	while [ "$whole" -lt "$1" ] || [ "$net" -lt 100 ] ||
		{ [ -n "$disk" ] && [ "$block" -lt 100 ]; }; do
		both many $((20 * cpus)) >/dev/null && kill -0 "${pids[@]}" || return
		whole=$((whole + 20 * cpus))
		[ "$share" -ge 100 ] || [ $((whole / ($1 / 10))) = "$tenths" ] || {
			tenths=$((whole / ($1 / 10)))
			echo "# $whole whole tables of $1"
		}
		net=$(($(count_softirqs NET_RX) - before_net))
		block=$(($(count_softirqs BLOCK) - before_block))
	done
	kill "${pids[@]}"
	wait "${pids[0]}" || status=$?
	wait
	echo "# stress-ng ended with $status"
	echo "# $whole whole tables, $net NET_RX softirqs, $block BLOCK softirqs"
	return "$status"
}

busy() {
	local name='reads with requests to a disk' block=0
	check 'reads under stress-ng --procfs and packets' under_load "$(share_of 20000 10)"
	if [ -n "$(disk)" ]; then
		check "$name" [ "$block" -ge 100 ]
	else
		skip "$name" 'this kernel lacks CONFIG_VIRTIO_BLK=y or CONFIG_BLK_DEV_NVME=y'
	fi
}

# kmalloc comes last: the histograms of the others are allocated with it.
allocs=(mm_page_alloc kmem_cache_alloc kmalloc)
frees=(kfree kmem_cache_free mm_page_free)

# all_reads COUNT: does reads of each kind. Prints only failures.
all_reads() {
	local said
	said=$(both many "$1" && both storm "$1" && both kill $(($1 / 10))) ||
		{ echo "$said"; return 1; }
}

# The kernel counts allocations and frees by stack. The module's have one of its functions on the
# stack, above any interrupt or other task. There must be others, because open(2) allocates.
#
# The kernel drops an event of an interrupt that comes while the same stack is being entered. Such a
# histogram is incomplete, so the test is repeated.
reads_allocate_nothing() {
	local try status
	for try in {1..10}; do
		status=0
		allocations_of_reads "$1" || status=$?
		[ "$status" -eq 2 ] || return "$status"
		echo "# try $try: the histograms are incomplete"
	done
	return 1
}

allocations_of_reads() {
	local event events=$tracing/events/kmem hists=() failed=0 status=0
	for event in "${frees[@]}" "${allocs[@]}"; do
		echo hist:keys=common_stacktrace:size=4096 >"$events/$event/trigger" || return
		hists+=("$events/$event/hist")
	done
	all_reads "$1" || failed=1
	awk -v reads="$1" '
	/common_stacktrace:/ { interrupt = ours = 0; stack = ""; next }
	/asm_(sysvec|common|exc)_|handle_softirqs| __schedule/ { interrupt = 1 }
	/^ / && !interrupt { ours = ours || /\[jitasklet\]/; stack = stack " " $1 }
	/^} hitcount:/ {
		split(FILENAME, path, "/")
		all[path[7] ~ /alloc/] += $3
		mine += ours ? $3 : 0
		if (ours)
			print "# " $3 " times " path[7] ":" stack
	}
	/^ *Dropped: [1-9]/ { dropped = 1; print "# " $0 }
	END {
		printf "# %d allocations and %d frees, %d of them by the module\n",
			all[1], all[0], mine
		exit mine || all[1] < reads || all[0] < reads ? 1 : dropped ? 2 : 0
	}' "${hists[@]}" || status=$?
	for event in "${frees[@]}" "${allocs[@]}"; do
		echo '!hist:keys=common_stacktrace' >"$events/$event/trigger"
	done
	[ "$failed" = 0 ] || return 1
	return "$status"
}

# Everything that was allocated with the module on the stack must be freed, by any code. An address
# that is allocated again was freed: kfree_rcu() has no event for each object. Code of an unloaded
# module no longer has names. Pages that the slab allocator gets for its objects do not count.
unloading_frees() {
	local event kmem=$tracing/events/kmem status=0
	rmmod jitasklet
	# Until the kernel has enough randomness to hash pointers, it prints none.
	write_setting "$tracing/options/sym-offset" 1 &&
		write_setting "$tracing/options/hash-ptr" 0 &&
		begin_trace counter "${frees[@]/#/kmem:}" || return
	# Traces the allocations of the process that loads and unloads, with their stacks.
	(
		for event in "${allocs[@]}"; do
			echo "common_pid == $BASHPID" >"$kmem/$event/filter" &&
				echo stacktrace >"$kmem/$event/trigger" || exit
		done
		printf 'kmem:%s\n' "${allocs[@]}" >>"$tracing/set_event"
		exec "$reader" "$ko" reload "$1" 0
	) || status=1
	echo 1 >/sys/module/rcutree/parameters/do_rcu_barrier
	end_trace || status=1
	for event in "${allocs[@]}"; do
		echo '!stacktrace' >"$kmem/$event/trigger"
		echo 0 >"$kmem/$event/filter"
	done
	read_trace -v loads="$1" '
	function finish() {
		if (ours && !slab) {
			mine++
			kinds[name stack]++
			live[object] = name stack
		}
		ours = slab = interrupt = 0
		stack = ""
	}
	/^ => / {
		if (/=> (asm_(sysvec|common|exc)_|handle_softirqs|__schedule)/)
			interrupt = 1
		ours = ours || !interrupt && /\[jitasklet\]|=> 0xffffffff[a-f]/
		slab = slab || /allocate_slab|new_slab|alloc_slab_page/
		sub(/\+.*|^0x.*/, "", $2)
		stack = stack " " ($2 == "" ? "[jitasklet]" : $2)
		next
	}
	{ finish() }
	# Between an allocation and its stack there may be events of interrupts, with stacks of
	# their own, and events of other CPUs.
	/: <stack trace>$/ && match(substr($0, 17), /^-[0-9]+/) {
		pid = substr($0, 18, RLENGTH - 1)
		name = names[pid, depth[pid]]
		object = objects[pid, depth[pid]]
		depth[pid] -= depth[pid] > 0
	}
	event != "" {
		id = value("ptr") value("pfn")
		unknown += id !~ /^[0-9a-fx]+$/
		delete live[id]
	}
	event ~ /alloc/ {
		names[pid, ++depth[pid]] = event
		objects[pid, depth[pid]] = id
	}
	END {
		finish()
		for (kind in kinds)
			print "# " kinds[kind] " times " kind
		for (id in live) {
			left++
			lost[live[id]]++
		}
		for (kind in lost)
			print "# left: " lost[kind] " times " kind
		printf "# %d loads: %d allocations with the module on the stack, %d of them left\n",
			loads, mine, left
		if (unknown)
			print "# " unknown " events without an address"
		exit unknown || left || mine < loads
	}' || status=1
	insmod "$ko" && return "$status"
}

memory() {
	local least=$((2 * cpus))
	check 'reads allocate nothing of their own' \
		reads_allocate_nothing "$(share_of 10000 "$least")"
	check 'unloading frees what loading allocated' unloading_frees 5
}

insmod "$ko" || exit
number=0
for group; do
	number=$((number + results[$group]))
done
plan "$number"
for group; do
	"$group"
done
rmmod jitasklet
restore_settings
end
