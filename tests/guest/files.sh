#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# files.sh BUILD: the files as their readers see them, in the guest.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=${1?"usage: files.sh BUILD"}/jitasklet.ko
reader=$1/tests/reader

load() {
	insmod "$ko" bh=1
}

all() {
	local file
	for file in jitasklet jitasklethi jitbh; do
		"$reader" "/proc/$file" "$@" || return
	done
}

# exist FILE...: succeeds if these files exist, and no others.
exist() {
	[ "$(stat -c '%a %U %n' /proc/jit*)" = "$(printf '444 root /proc/%s\n' "$@")" ]
}

all_exist() {
	exist jitasklet jitasklethi jitbh
}

are_gone() {
	! ls /proc/jit* 2>/dev/null
}

load_twice() {
	load && all_exist && rmmod jitasklet && are_gone && load && all_exist
}

only_with_bh() {
	rmmod jitasklet && insmod "$ko" && exist jitasklet jitasklethi || return
	rmmod jitasklet && insmod "$ko" bh=0 && exist jitasklet jitasklethi || return
	rmmod jitasklet && load && all_exist
}

refuses_parameters() {
	local parameter
	rmmod jitasklet || return
	for parameter in unload=1 bh bh= bh=2 bh=-1 bh=257 bh=yes; do
		! insmod "$ko" "$parameter" 2>/dev/null && are_gone || return
	done
	load
}

# Unloads the module while readers loop on all files.
unload_under_readers() {
	local pids=() pid file fd failed=0
	mkfifo /tmp/files.begun && exec {fd}<>/tmp/files.begun || return
	for file in jitasklet{,,} jitasklethi{,,} jitbh{,,}; do
		"$reader" "/proc/$file" loop >&"$fd" &
		pids+=($!)
	done
	# Each reports when it has read the file once.
	for pid in "${pids[@]}"; do
		read -r -t 600 -u "$fd" _ || failed=1
	done
	rmmod jitasklet || failed=1
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	exec {fd}<&-
	are_gone && load && return "$failed"
}

held_open() {
	local line
	coproc "$reader" "/proc/$1" hold
	read -r line <&"${COPROC[0]}" || return
	echo "$line"
	rmmod jitasklet || return
	echo go >&"${COPROC[1]}"
	# shellcheck disable=SC2154 # COPROC_PID comes with coproc
	wait "$COPROC_PID" && load
}

clash() {
	rmmod jitasklet && insmod "$1" name="$2" && ! load 2>/dev/null || return
	# No file is left, only the directory that took the name.
	[ "$(cd /proc && echo jit*)" = "$2" ] && [ -d "/proc/$2" ] || return
	rmmod clash && load && all_exist
}

plan 25
check 'loads, unloads and loads again' load_twice
check 'jitbh exists with bh=1 only' only_with_bh
check 'refuses unknown parameters and bad values' refuses_parameters
for file in jitasklet jitasklethi jitbh; do
	check "$file: 50 tables, byte by byte" "$reader" "/proc/$file" many 50
	check "$file: 64 readers at once" "$reader" "/proc/$file" crowd 64
	check "$file: a signal storm gives whole tables or EINTR" "$reader" "/proc/$file" storm 1000
done
check 'reads of one byte give one measurement' all steps 1
check 'reads of 43 bytes give one measurement' all steps 43
check 'pread from anywhere' all pread
check 'lseek measures anew' all seek
check 'writing is refused' all write
check 'a comm cannot break or forge a row' all names
check 'readers may be killed at any time' all kill 50
check 'unloads while nine readers loop' unload_under_readers
check 'jitasklet: held open across rmmod it gives EIO' held_open jitasklet
check 'jitbh: held open across rmmod it gives EIO' held_open jitbh
for name in jitasklet jitasklethi jitbh; do
	splat 'proc_register' "the name $name is taken: nothing is left" \
		clash "$1/tests/clash.ko" "$name"
done
rmmod jitasklet
end
