#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# enter.sh [--rw] [--layer NAME] TREE COMMAND...: runs a command in the build root, where it sees
#     /jitasklet       this checkout
#     /kernel/source   the source of the kernel tree TREE
#     /kernel/build    its build directory, read-only unless --rw
# and the packages that layer.sh adds as NAME, or as the layer that the tree itself asks for.
#
# What it writes elsewhere is gone afterwards: the root is the lower half of an overlay in memory.
# All mounts are in a mount namespace of the command's own, and end with it, however it ends.

. "${BASH_SOURCE[0]%/*}/lib.sh"

mode=ro
[ "$1" != --rw ] || { mode=rw; shift; }
layer=
[ "$1" != --layer ] || { layer=$2; shift 2; }
[ $# -ge 2 ] || die "usage: enter.sh [--rw] [--layer NAME] TREE COMMAND..."
need_root "entering the build root"
source=$(realpath "$1/source") build=$(realpath "$1/build")
[ -n "$layer" ] || layer=$(cat "$1/layer" 2>/dev/null || true)
shift
root=$("$top/scripts/buildroot.sh" path)
lower=../${root##*/}
if [ -n "$layer" ]; then
	layer=$("$top/scripts/layer.sh" "$layer" </dev/null)
	lower=../${layer##*/}:$lower
fi

# The mounts, inside of the namespace. Positional parameters: the command.
inside() {
	mkdir -p "$cache/mnt"
	mount -t tmpfs none "$cache/mnt"
	cd "$cache/mnt"
	mkdir upper work root
	mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" overlay root || {
		echo "jitasklet: error: this machine's kernel cannot mount an overlay here." >&2
		exit 1
	}
	cd root
	mkdir kernel/source kernel/build
	mount --bind "$top" jitasklet
	mount --bind "$source" kernel/source
	mount --bind "$build" kernel/build
	mount -o remount,bind,ro kernel/source
	mount -o "remount,bind,$mode" kernel/build
	mount -t proc none proc
	mount -t sysfs -o ro none sys
	mount --rbind /dev dev
	mount -t tmpfs none tmp
	mount -t tmpfs none run
	exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		TERM="${TERM:-dumb}" "$@"
}

export -f inside
export top cache lower source build mode
exec setpriv --pdeathsig KILL \
	unshare --mount --pid --fork --kill-child --mount-proc \
	bash -euc 'inside "$@"' bash "$@"
