#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# all.sh BUILD SUITE...: runs suites one after another, in the guest. Prints a line "# suite NAME"
# before each, and its exit status after it. The load is a thousandth of that in stress.sh.

set -uo pipefail

build=/jitasklet/$1 failed=0
shift

# A program on the file system that the guest shares with the host is read again each time it
# starts. So programs that suites start hundreds of times are copied into memory.
applets=(basename cat chmod cp cut dirname dmesg grep head id ln ls mkdir mkfifo mktemp mount rm
	rmmod sed sleep stat tail tr uname)
# Mounted in place, because each program contains the paths of its libraries.
libraries=(ld-linux-x86-64.so.2 lib{c.so.6,m.so.6,tinfo.so.6,z.so.1,zstd.so.1,crypto.so.3})
libraries=("${libraries[@]/#/\/usr/lib/x86_64-linux-gnu/}")
# A shell that has most of these built in.
# shellcheck disable=SC2016 # the shell below is to expand it
busybox sh -euc '
	build=$1 applets=$2
	shift 2
	mkdir -p /tmp/bin /tmp/here /tmp/build/tests
	cp /usr/bin/busybox /tmp/bin
	for applet in $applets; do
		ln -s busybox "/tmp/bin/$applet"
	done
	for file; do
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
	done' sh "$build" "${applets[*]}" /usr/bin/{bash,mawk,kmod} "${libraries[@]}" || exit
PATH=/tmp/bin:$PATH

for suite; do
	echo "# suite $suite"
	began=$SECONDS status=0 share=()
	[ "$suite" != load ] || share=(1000)
	bash "${BASH_SOURCE[0]%/*}/$suite.sh" /tmp/build "${share[@]}" || status=$?
	echo "# ended with $status after $((SECONDS - began)) s"
	[ "$status" -eq 0 ] || failed=1
done
exit "$failed"
