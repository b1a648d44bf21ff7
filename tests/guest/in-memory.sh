#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# in-memory.sh BUILD: copies the tests in BUILD, and the programs that suites start hundreds of
# times, into the guest's memory. The file system that the guest shares with the host would read a
# program's pages again for each start. Busybox has most programs built in.

set -eu

build=${1?"usage: in-memory.sh BUILD"}
lib=$(echo /usr/lib/*-linux-gnu)

mkdir -p /tmp/bin /tmp/here /tmp/build/tests
cp /usr/bin/busybox /tmp/bin
for applet in basename cat chmod cp cut dirname dmesg grep head id ln ls mkdir mkfifo mktemp mount \
	rm rmmod sed sleep stat tail tr uname; do
	ln -s busybox "/tmp/bin/$applet"
done

# Mounted in place, because each program contains the paths of its libraries.
for file in /usr/bin/bash /usr/bin/mawk /usr/bin/kmod "$lib"/ld-linux* "$lib"/libc.so.6 \
	"$lib"/libm.so.6 "$lib"/libtinfo.so.6 "$lib"/libz.so.1 "$lib"/libzstd.so.1 \
	"$lib"/libcrypto.so.3; do
	[ -e "$file" ] || continue
	cp -L "$file" /tmp/here
	mount --bind "/tmp/here/${file##*/}" "$(realpath "$file")"
done

cp "$build/jitasklet.ko" /tmp/build
for file in "$build"/tests/*; do
	if [ -d "$file" ]; then
		ln -s "$file" /tmp/build/tests
	else
		case $file in
		*.ko | */reader | */walk | */proc-*) cp "$file" /tmp/build/tests ;;
		esac
	fi
done
