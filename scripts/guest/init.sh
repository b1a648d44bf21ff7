#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# init.sh: the guest's init. Runs the command that virtme-ng passes on the kernel's command line,
# with virtme-ng's ports as its standard files, and powers the guest off; without a command it runs
# an interactive shell.
#
# virtme-ng's own init takes 3.5 s on an emulated CPU, mostly to start programs. This one starts
# ten.

export PATH=/usr/sbin:/usr/bin HOME=/root
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -a
ip link set lo up &
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin

# During the boot the console shows warnings only: printing a line takes longer than what the line
# is about. From here on it shows everything.
echo 8 >/proc/sys/kernel/printk
cd /jitasklet || poweroff -f

read -r command </proc/cmdline
case $command in
*'virtme.exec=`'*)
	command=${command#*virtme.exec=\`}
	command=${command%%\`*}
	;;
*)
	# virtme_* come from virtme-ng. The terminal's settings are several words.
	console=/dev/${virtme_console?}
	# shellcheck disable=SC2086
	[ -z "$virtme_stty_con" ] || stty $virtme_stty_con <"$console"
	wait
	setsid -c bash --rcfile scripts/guest/bashrc.sh <>"$console" >&0 2>&1
	poweroff -f
	;;
esac

# A port appears before its name, and the names appear one after the other.
ports() {
	local dir name
	stdin='' stdout='' stderr='' out='' err='' result=''
	for dir in /sys/class/virtio-ports/*; do
		name=
		read -r name <"$dir/name"
		case $name in
		virtme.stdin) stdin=/dev/${dir##*/} ;;
		virtme.stdout) stdout=/dev/${dir##*/} ;;
		virtme.stderr) stderr=/dev/${dir##*/} ;;
		virtme.dev_stdout) out=/dev/${dir##*/} ;;
		virtme.dev_stderr) err=/dev/${dir##*/} ;;
		virtme.ret) result=/dev/${dir##*/} ;;
		esac
	done 2>/dev/null
	[ -n "$stdin" ] && [ -n "$stdout" ] && [ -n "$stderr" ] && [ -n "$out" ] &&
		[ -n "$err" ] && [ -n "$result" ]
}
until ports; do sleep 0.05; done
ln -s "$out" /dev/stdout
ln -s "$err" /dev/stderr

echo "$command" | base64 -d >/run/command
wait
setsid bash /run/command <"$stdin" >"$stdout" 2>"$stderr"
status=$?

# guest.sh looks for this line: without it, the guest crashed.
echo "<6>jitasklet: the guest's command ended with $status" >/dev/kmsg
echo "$status" >"$result"
poweroff -f
