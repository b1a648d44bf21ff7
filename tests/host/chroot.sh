# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2164 # who sources it sets variables; -e ends start
#
# chroot.sh: for the suites that need another machine than this one: a chroot with the packages of
# the image that Containerfile describes, the rights that containers have by default, and a copy of
# the checkout in /src. Needs $out, a build directory, and $tmp.
#
#     make_container		gets the packages, and makes the copy in $tmp/copy
#     container COMMAND...	runs a command there; with the variable runner, with all rights, as
#				on a machine of one's own

. "$top/scripts/compilers.sh"

# What Docker and Podman leave to root in a container, or less.
rights=-all
for right in chown dac_override fowner fsetid kill mknod net_bind_service net_raw setfcap setgid \
	setpcap setuid sys_chroot; do
	rights+=,+$right
done

# In the namespace.
start() {
	local name
	cd "$cache/mnt"
	mount -t tmpfs none .
	cd "$cache/mnt"
	overlay "$lower" root
	cd root
	rm -r jitasklet kernel guest
	mkdir -p src ".$cache" dev/shm dev/pts
	[ -n "${runner-}" ] || touch etc/jitasklet-image
	mount --bind "$tmp/copy" src
	mount --bind "$cache" ".$cache"
	mount --bind /etc/apt etc/apt
	for name in hosts resolv.conf; do
		cp -L "/etc/$name" etc
	done
	mount -t proc none proc
	mount -t sysfs -o ro none sys 2>/dev/null || mount --rbind /sys sys
	for name in null zero full random urandom tty; do
		touch "dev/$name"
		mount --bind "/dev/$name" "dev/$name"
	done
	ln -s /proc/self/fd dev/fd
	mount -t tmpfs -o size=64M none dev/shm
	mount -t devpts -o ptmxmode=666 none dev/pts
	ln -s pts/ptmx dev/ptmx
	[ -z "${runner-}" ] ||
		exec chroot . env -i PATH=/usr/sbin:/usr/bin HOME=/root JIT_CACHE="$cache" "$@"
	exec chroot . setpriv --bounding-set="$rights" --inh-caps=-all /src/confine \
		env -i PATH=/usr/sbin:/usr/bin HOME=/root JIT_CACHE="$cache" "$@"
}
export -f start overlay die
export cache tmp rights

container() {
	"${isolated[@]}" bash -euc 'start "$@"' bash "$@"
}

make_container() {
	local name dir release=${out##*/}
	for name in build check plot junit image emulator; do
		dir=$("$top/scripts/root.sh" "$name") || return
		lower=../${dir##*/}${lower:+:$lower}
	done
	export lower
	copy_checkout "$tmp/copy"
	"$top/scripts/enter.sh" "$out/tree" "$(gcc_of "$out/tree/build")" -Wall -Wextra -Werror \
		-o "/jitasklet/build/$release/confine" /jitasklet/tests/host/confine.c &&
		mv "$out/confine" "$tmp/copy" && mkdir -p "$tmp/copy/build/$release" &&
		cp -a "$out/tests" "$tmp/copy/build/$release"
}
