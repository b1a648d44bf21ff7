#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# device.sh BUILD [SHARE]: the driver of QEMU's edu devices and its files, in the guest. All counts
# are divided by SHARE, which is 40 by default. Needs a guest with --edu and the parameter
# iomem=relaxed.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

build=${1?"usage: device.sh BUILD [SHARE]"} share=${2-40}
reader=$build/tests/reader
ko=/tmp/jit_edu.ko
# The last one is behind the port that can be unplugged.
devices=(0000:00:10.0 0000:00:14.0 0000:01:00.0)
files=(/proc/jitirq /proc/jitirq1 /proc/jitirq2)
pci=/sys/bus/pci/devices
driver=/sys/bus/pci/drivers/jit_edu

# exist FILE...: succeeds if there are these files, and no others.
exist() {
	[ "$(stat -c '%a %U %n' /proc/jitirq* 2>/dev/null)" = \
		"$([ $# -eq 0 ] || printf '444 root %s\n' "$@")" ] && return
	echo "# there are: $(echo /proc/jitirq*), not: $*"
	return 1
}

load() {
	insmod "$ko" && exist "${files[@]}"
}

unload() {
	rmmod jit_edu && exist
}

bind_device() {
	echo "$1" >"$driver/bind"
}

unbind_device() {
	echo "$1" >"$driver/unbind"
}

# interrupts ON: binds all devices anew, with message-signalled interrupts (1), or without (0). Then
# the files have the order of the devices.
interrupts() {
	local device
	for device in "${devices[@]}"; do
		unbind_device "$device" && echo "$1" >"$pci/$device/msi_bus" || return
	done
	for device in "${devices[@]}"; do
		bind_device "$device" || return
	done
	exist "${files[@]}"
}

# Prints the number of interrupts of the devices so far, and of the lines that they are on.
counts() {
	awk '/jit_edu/ { lines++; for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i }
		END { print sum + 0, lines + 0 }' /proc/interrupts
}

# register DEVICE OFFSET [VALUE]: prints or writes one of a device's registers.
register() {
	local bar
	read -r bar _ <"$pci/$1/resource"
	busybox devmem $((bar + $2)) 32 ${3+"$3"}
}

loads_twice() {
	load && unload && load
}

# Files get the lowest free numbers.
numbers() {
	unbind_device "${devices[0]}" && exist "${files[@]:1}" &&
		unbind_device "${devices[1]}" && exist "${files[2]}" &&
		bind_device "${devices[1]}" && exist "${files[0]}" "${files[2]}" &&
		bind_device "${devices[0]}" && exist "${files[@]}" &&
		[ "$(cat "${files[@]}" | grep -c ^reader)" = 3 ] && interrupts 1
}

# Another device, with a driver_override.
refuses() {
	local other=$pci/0000:00:1f.0
	echo jit_edu >"$other/driver_override" || return
	fails_with 'No such device' bind_device 0000:00:1f.0 && [ ! -e "$other/driver" ] &&
		exist "${files[@]}" && echo >"$other/driver_override"
}

# One interrupt for each read, and all bits are acknowledged.
one_each() {
	local before after lines count=$((100000 / share)) device
	read -r before lines < <(counts)
	[ "$lines" = 3 ] || { echo "# there are $lines lines"; return 1; }
	"$reader" "${files[0]}" many "$count" && read -r after _ < <(counts) || return
	echo "# $count reads, $((after - before)) interrupts"
	[ $((after - before)) = "$count" ] || return
	for device in "${devices[@]}"; do
		[ "$(register "$device" 0x24)" = 0x00000000 ] || return
	done
}

# all HOW...: reads all files at once.
all() {
	local file pids=() status=0
	for file in "${files[@]}"; do
		"$reader" "$file" "$@" &
		pids+=($!)
	done
	for file in "${pids[@]}"; do wait "$file" || status=1; done
	return "$status"
}

on_one_line() {
	local lines
	interrupts 0 && read -r _ lines < <(counts) && [ "$lines" = 1 ] &&
		all many $((10000 / share))
}

# Somebody else raises all bits: the device is not taken for one that is gone, and the interrupt
# gives nobody rows.
all_ones() {
	local before after
	read -r before _ < <(counts)
	register "${devices[0]}" 0x60 0xffffffff
	acknowledged() { [ "$(register "${devices[0]}" 0x24)" = 0x00000000 ]; }
	await acknowledged && read -r after _ < <(counts) && [ "$after" -gt "$before" ] &&
		"$reader" "${files[0]}" many 10
}

# set_command VALUE: writes the first device's command register. With 0x0403 it cannot interrupt.
set_command() {
	# shellcheck disable=SC2059
	printf "\\x${1:4:2}\\x${1:2:2}" |
		busybox dd of="$pci/${devices[0]}/config" bs=1 seek=4 conv=notrunc 2>/dev/null
}

in_read() {
	local number
	read -r number _ <"/proc/$1/syscall" && [ "$number" = 0 ]
}

# Starts readers of the first file, whose device does not interrupt. The first one waits for the
# interrupt, the others for the first one.
waiting=()
start_waiting() {
	local number
	interrupts 0 && set_command 0x0403 || return
	waiting=()
	for number in 1 2 3; do
		"$reader" "${files[0]}" steps 1024 >"/tmp/waiting.$number" &
		waiting+=($!)
		await in_read $! || return
	done
}

# Each of the readers ended with ENODEV.
end_waiting() {
	local pid status=0
	for pid in "${waiting[@]}"; do
		! wait "$pid" || status=1
	done
	[ "$(grep -c 'read: No such device$' /tmp/waiting.* | grep -c ':1$')" = 3 ] &&
		return "$status"
	sed 's/^/# /' /tmp/waiting.*
	return 1
}

# The first reader is killed, and the interrupt that it waited for comes later: its rows are not
# those of the next reader.
killed() {
	local status=0 pid
	start_waiting || return
	kill -KILL "${waiting[0]}"
	! wait "${waiting[0]}" || status=1
	# The second one waits for the same interrupt now.
	in_read "${waiting[1]}" && in_read "${waiting[2]}" && set_command 0x0007 || status=1
	for pid in "${waiting[@]:1}"; do
		wait "$pid" || status=1
	done
	[ "$status" = 0 ] || sed 's/^/# /' /tmp/waiting.*
	return "$status"
}

unbound() {
	start_waiting && unbind_device "${devices[0]}" && end_waiting && exist "${files[@]:1}" &&
		bind_device "${devices[0]}" && "$reader" "${files[0]}" many 10
}

remove() {
	echo 1 >"$pci/$1/remove"
}

rescan() {
	echo 1 >/sys/bus/pci/rescan
}

removed() {
	start_waiting && remove "${devices[0]}" && end_waiting && rescan &&
		interrupts 0 && "$reader" "${files[0]}" many 10
}

unloaded() {
	start_waiting && rmmod jit_edu && end_waiting && load && interrupts 0 &&
		"$reader" "${files[0]}" many 10
}

held_open() {
	local line
	coproc "$reader" "${files[0]}" hold
	read -r line <&"${COPROC[0]}" || return
	echo "$line"
	unbind_device "${devices[0]}" || return
	echo go >&"${COPROC[1]}"
	# shellcheck disable=SC2154 # COPROC_PID comes with coproc
	wait "$COPROC_PID" && bind_device "${devices[0]}"
}

# under_readers COUNT COMMAND...: repeats the command while two readers loop on each file, and new
# ones after each time that a file was gone.
under_readers() {
	local count=$1 n file pid pids fd status=0
	shift
	[ -p /tmp/device.begun ] || mkfifo /tmp/device.begun || return
	exec {fd}<>/tmp/device.begun
	for ((n = 0; n < count && !status; n++)); do
		pids=()
		for file in "${files[@]}" "${files[@]}"; do
			"$reader" "$file" loop >&"$fd" &
			pids+=($!)
		done
		# Each reports when it has read the file once.
		for pid in "${pids[@]}"; do
			read -r -t 600 -u "$fd" _ || status=1
		done
		"$@" || { echo "# failed the time $n: $*"; status=1; }
		# Those of other devices go on.
		for pid in "${pids[@]}"; do
			[ "$status" = 0 ] || kill "$pid" 2>/dev/null
		done
		[ "$status" != 0 ] || gone || status=1
		for pid in "${pids[@]}"; do
			wait "$pid" || status=1
		done
		back || status=1
	done
	exec {fd}<&-
	echo "# $n times"
	exist "${files[@]}" && return "$status"
}

# What ends all readers after each time, and what follows.
gone() {
	rmmod jit_edu
}

back() {
	load && interrupts 1
}

rebind() {
	local device
	for device in "${devices[@]}"; do
		unbind_device "$device" && bind_device "$device" || return
	done
}

remove_all() {
	local device
	for device in "${devices[@]}"; do
		remove "$device" || return
	done
	exist && rescan && exist "${files[@]}"
}

# qmp COMMAND: has QEMU's monitor run a command.
qmp() {
	local line
	echo "$1" >&"$monitor"
	while read -r -t 600 -u "$monitor" line; do
		[[ $line != *'"error"'* ]] || { echo "# $line"; return 1; }
		[[ $line != *'"return"'* ]] || return 0
	done
	return 1
}

# The kernel removes a device five seconds after it is asked to. QEMU says so when it is gone.
unplug() {
	local line
	qmp '{"execute": "device_del", "arguments": {"id": "edu"}}' || return
	while read -r -t 600 -u "$monitor" line; do
		[[ $line != *DEVICE_DELETED*'"edu"'* ]] || break
	done
	exist "${files[@]:0:2}" || return
	qmp '{"execute": "device_add",
		"arguments": {"driver": "edu", "bus": "plug", "id": "edu"}}' &&
		await [ -e "${files[2]}" ]
}

if [ ! -e "$build/tests/kernel/jit_edu.ko" ]; then
	plan 1
	skip 'the driver' 'it needs Linux 7.3'
	end
fi
cp "$build/tests/kernel/jit_edu.ko" "$ko" || exit
for name in /sys/class/virtio-ports/*/name; do
	[ "$(<"$name")" != qmp ] || exec {monitor}<>"/dev/$(basename "${name%/name}")"
done
qmp '{"execute": "qmp_capabilities"}' || exit

plan 26
check 'loads, with a file for each device, unloads and loads again' loads_twice
check 'files have the lowest free numbers' numbers
check 'refuses other devices' refuses
check "MSI: $((100000 / share)) reads, one interrupt for each" one_each
check 'MSI: the files of all devices at once' all many $((10000 / share))
check 'INTx: three devices on one line' on_one_line
check '32 readers at once' "$reader" "${files[0]}" crowd 32
check 'a signal storm gives whole tables or EINTR' "$reader" "${files[0]}" storm $((10000 / share))
check 'readers may be killed at any time' "$reader" "${files[0]}" kill $((500 / share))
check 'reads of one byte give one measurement' "$reader" "${files[0]}" steps 1
check 'reads of 43 bytes give one measurement' "$reader" "${files[0]}" steps 43
check 'pread from anywhere' "$reader" "${files[0]}" pread
check 'lseek measures anew' "$reader" "${files[0]}" seek
check 'writing is refused' "$reader" "${files[0]}" write
check 'a comm cannot break or forge a row' "$reader" "${files[0]}" names
check 'all bits at once are an interrupt, but nobody'\''s rows' all_ones
check 'an interrupted read leaves no rows to the next one' killed
check 'unbind ends waiting reads with ENODEV' unbound
check 'remove ends waiting reads with ENODEV' removed
check 'rmmod ends waiting reads with ENODEV' unloaded
check 'held open across unbind it gives EIO' held_open
check 'unbinds and binds while readers loop' under_readers $((200 / share)) rebind
check 'removes and rescans while readers loop' under_readers $((200 / share)) remove_all
check 'unloads while readers loop' under_readers $((200 / share)) true
check 'QEMU unplugs a device while readers loop' under_readers $((50 / share)) unplug
check 'unloads' unload
end
