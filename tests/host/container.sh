#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# container.sh OUT: the commands in an image that Containerfile describes, with the rights that
# containers have by default. A chroot with the packages of that image stands in for a container.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/scripts/debian.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
release=${out##*/}
flavour=$(cut -d ' ' -f 2 "$out/tree/release")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-container.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

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
	touch etc/jitasklet-image
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
	exec chroot . setpriv --bounding-set="$rights" --inh-caps=-all /src/confine \
		env -i PATH=/usr/sbin:/usr/bin HOME=/root JIT_CACHE="$cache" "$@"
}
export -f start overlay die
export cache tmp rights

container() {
	"${isolated[@]}" bash -euc 'start "$@"' bash "$@"
}

make_container() {
	local name dir
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

# The rights are really not there.
confined() {
	container bash -c '
		! mount -t tmpfs none /mnt 2>/dev/null && ! unshare --mount true 2>/dev/null &&
		! unshare --user true 2>/dev/null'
}

# makes LINES PATTERN ARGUMENT...: runs make, and checks that LINES lines of its output match.
makes() {
	container make -C /src KERNEL="$flavour" "${@:3}" >"$tmp/said" 2>&1 &&
		grep -c "$2" "$tmp/said" | grep -x "$1" && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# Nothing is written to the checkout, but below build/.
sources_stay() {
	find "$tmp/copy" -path "$tmp/copy/build" -prune -o \
		-type f -newer "$tmp/copy/confine" -print |
		sed 's/^/# /' | tee "$tmp/written"
	[ ! -s "$tmp/written" ]
}

plan 4
[ -e "$image" ] || make_container || exit
mounts 'the container has no right to mount or to make a namespace' confined
mounts 'make demo prints its tables' makes 4 '^   time   delta' demo
mounts 'make check passes a suite of the guest' \
	makes 1 '^[0-9]* passed, 0 failed$' check SUITES=files
mounts 'nothing is written to the checkout but build/' sources_stay
end
