#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rights.sh: the rights that the scripts need, and what they write: no command needs root, a missing
# right is reported before anything is downloaded, and only build/ and the cache are written to.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-rights.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# refused PATTERN COMMAND...: the command fails with PATTERN, and makes no cache.
refused() {
	local pattern=$1
	shift
	JIT_CACHE=$tmp/empty fails_with "$pattern" "$@" || return
	[ ! -e "$tmp/empty" ] || { find "$tmp/empty" | sed 's/^/# /'; return 1; }
}

# As an ordinary user, where the limit of user namespaces is 0.
no_namespaces() {
	refused 'has user.max_user_namespaces = 0, so only root' \
		unshare --user --map-user=1000 --map-group=1000 --keep-caps bash -euc '
			echo 0 >/proc/sys/user/max_user_namespaces
			exec "$@"' bash make -C "$top" "$@"
}

# As root in a container with the default rights.
no_mounts() {
	refused 'root may not make one here' \
		"${isolated[@]}" setpriv --bounding-set=-sys_admin make -C "$top" "$@"
}

# The results of an earlier run stay.
no_mounts_for_check() {
	mkdir -p "$top/build/check"
	: >"$top/build/check/earlier"
	no_mounts check && rm "$top/build/check/earlier"
}

# With a stat that reports NFS for the cache.
not_local() {
	mkdir -p "$tmp/bin"
	printf '#!/bin/sh\necho nfs\n' >"$tmp/bin/stat"
	chmod +x "$tmp/bin/stat"
	PATH=$tmp/bin:$PATH JIT_CACHE=$tmp/nfs fails_with 'is on a file system that is not local' \
		make -C "$top" demo
}

# root makes a cache of its own in another user's, and refuses one that is not its own.
somebody_elses() {
	mkdir -p "$tmp/shared/user-0"
	chown 65534 "$tmp/shared"
	JIT_CACHE=$tmp/shared make -C "$top" kernels >/dev/null &&
		[ -d "$tmp/shared/user-0/apt" ] && [ ! -e "$tmp/shared/apt" ] || return
	chown 65534 "$tmp/shared/user-0"
	JIT_CACHE=$tmp/shared fails_with 'belongs to another user' make -C "$top" kernels
}

# read_only COMMAND...: runs the command with the rest of the file system read-only.
read_only() {
	cd "$tmp"
	mkdir -p all
	mount --rbind / all
	mount -o remount,bind,ro all
	mkdir -p "$cache/mnt"
	mount --bind "$cache" "all$cache"
	mount --bind "$top/build" "all$top/build"
	cd "all$top"
	exec chroot "$tmp/all" env -C "$top" "$@"
}
export -f read_only
export tmp top cache

nothing_else_written() {
	"${isolated[@]}" bash -euc 'read_only "$@"' read_only sh -c \
		'! touch Makefile 2>/dev/null && exec make demo' >"$tmp/demo" 2>&1 &&
		grep -c '^   time   delta' "$tmp/demo" | grep -x 4 && return
	sed 's/^/# /' "$tmp/demo"
	return 1
}

plan 7
mounts 'without user namespaces make demo says what to do' no_namespaces demo
mounts 'without user namespaces make KERNEL= says what to do' no_namespaces KERNEL=cloud
mounts 'root without the right to mount is told so by make demo' no_mounts demo
mounts 'root without the right to mount is told so by make check' no_mounts_for_check
check 'a cache that is not local is refused' not_local
if [ "$UID" = 0 ]; then
	check "root does not use another user's cache" somebody_elses
else
	skip "root does not use another user's cache" 'only root can make such a cache'
fi
mounts 'make demo writes to build/ and the cache only' nothing_else_written
end
