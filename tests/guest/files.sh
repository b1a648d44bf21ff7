#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# files.sh BUILD: the two files as their readers see them, in the guest.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=$1/jitasklet.ko
reader=$1/tests/reader

both() {
	local file
	for file in /proc/jitasklet /proc/jitasklethi; do
		"$reader" "$file" "$@" || return
	done
}

exist() {
	[ "$(stat -c '%a %U %n' /proc/jitasklet /proc/jitasklethi | xargs)" = \
		'444 root /proc/jitasklet 444 root /proc/jitasklethi' ]
}

are_gone() {
	! ls /proc/jitasklet* 2>/dev/null
}

load_twice() {
	insmod "$ko" && exist && rmmod jitasklet && are_gone && insmod "$ko" && exist
}

refuses_parameter() {
	rmmod jitasklet && ! insmod "$ko" tasklet_wrap=1 2>/dev/null && are_gone && insmod "$ko"
}

# Readers in a loop on both files, and the module goes from under them.
unload_under_readers() {
	local pids=() pid file failed=0
	for file in jitasklet jitasklethi jitasklet jitasklethi; do
		"$reader" "/proc/$file" loop &
		pids+=($!)
		"$reader" "/proc/$file" loop &
		pids+=($!)
	done
	# All of them have read something once the tasklets ran eight times as often.
	"$reader" /proc/jitasklet many 50 || failed=1
	rmmod jitasklet || failed=1
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	are_gone && insmod "$ko" && return "$failed"
}

ten_times() {
	local _
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$@" || return
	done
}

held_open() {
	local line
	coproc "$reader" /proc/jitasklet hold
	read -r line <&"${COPROC[0]}" || return
	echo "$line"
	rmmod jitasklet || return
	echo go >&"${COPROC[1]}"
	# shellcheck disable=SC2154 # COPROC_PID comes with coproc
	wait "$COPROC_PID" && insmod "$ko"
}

clash() {
	rmmod jitasklet && insmod "$1" name="$2" && ! insmod "$ko" 2>/dev/null || return
	# Of the two files none is left, but for the directory that took the name.
	[ "$(cd /proc && echo jitasklet*)" = "$2" ] && [ -d "/proc/$2" ] || return
	rmmod clash && insmod "$ko" && exist
}

plan 19
t 'loads, unloads and loads again' load_twice
t 'refuses the parameter that is none' refuses_parameter
t 'jitasklet: 50 tables, byte by byte' "$reader" /proc/jitasklet many 50
t 'jitasklethi: 50 tables, byte by byte' "$reader" /proc/jitasklethi many 50
t 'jitasklet: 64 readers at once' "$reader" /proc/jitasklet crowd 64
t 'jitasklethi: 64 readers at once' "$reader" /proc/jitasklethi crowd 64
t 'reads of one byte give one measurement' both steps 1
t 'reads of 43 bytes give one measurement' both steps 43
t 'pread from anywhere' both pread
t 'lseek measures anew' both seek
t 'writing is refused' both write
t 'a comm cannot break or forge a row' both names
t 'jitasklet: a signal storm gives whole tables or EINTR' "$reader" /proc/jitasklet storm 1000
t 'jitasklethi: a signal storm gives whole tables or EINTR' "$reader" /proc/jitasklethi storm 1000
t 'readers killed at any time' both kill 50
t 'unloads while eight readers loop, ten times' ten_times unload_under_readers
t 'a file held open across rmmod gives EIO' held_open
splat 'proc_register' 'the first name is taken: nothing is left' \
	clash "$1/tests/clash.ko" jitasklet
splat 'proc_register' 'the second name is taken: nothing is left' \
	clash "$1/tests/clash.ko" jitasklethi
rmmod jitasklet
end
