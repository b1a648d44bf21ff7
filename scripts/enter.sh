#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# enter.sh [--rw] [--layer NAME] TREE COMMAND...: runs a command in the build root, where it sees
#     /jitasklet       this checkout, of which only build/ keeps what is written to it
#     /kernel/source   the source of the kernel tree TREE
#     /kernel/build    its build directory, read-only unless --rw
# and the packages of the layer NAME in root.sh, or of the layer that the tree itself names.
# enter.sh --guest NAME TREE COMMAND...: runs it in the emulator's root, where it also sees
#     /guest           the root NAME, a guest's or a layer on that, with all of the above, read-only
#
# A tree of kdir-tree.sh has no build root: the command runs on the host, with the checkout's path
# for /jitasklet. The variable KERNEL_TREE says, there and in the build root, where source and build
# are.
#
# If the variable MODULE names the directory of somebody else's module, a build sees that directory
# by its own path, and a guest sees it as /module. In the build root, neither that nor the checkout
# has what a build in place has left there.
#
# What it writes elsewhere is gone afterwards: a root is the lower layer of an overlay in memory.
# All mounts are in the command's own mount namespace, and end with it, however it ends.
#
# In an image that is the build root itself (see Containerfile), symbolic links replace the mounts,
# and /guest in the command's arguments is replaced by the path of a copy of the guest's root.

. "${BASH_SOURCE[0]%/*}/lib.sh"

mode=ro layer='' guest='' root=build MODULE=${MODULE-}
while [[ ${1-} = --* ]]; do
	case $1 in
	--rw) mode=rw ;;
	--layer) layer=$2 && shift ;;
	--guest) guest=$2 root=emulator && shift ;;
	*) die "enter.sh: there is no option $1." ;;
	esac
	shift
done
[ $# -ge 2 ] || usage
if [ -e "$1/host" ] && [ -z "$guest" ]; then
	tree=$1
	shift
	exec env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL KERNEL_TREE="$tree" "${@/#\/jitasklet\//$top/}"
fi
tree=$1 source=$(realpath "$1/source") build=$(realpath "$1/build")
# For root.sh.
COMPILERS=$(cat "$tree/compilers" 2>/dev/null || true)
export COMPILERS
[ -n "$layer$guest" ] || layer=$(cat "$tree/layer" 2>/dev/null || true)
shift

# lower NAME [LAYER]: prints the directories of a root and of the layer on it, as an overlay's
# lowerdir.
lower() {
	local name dir list=''
	for name; do
		[ -n "$name" ] || continue
		dir=$("$top/scripts/root.sh" "$name" </dev/null) || exit
		list=../${dir##*/}${list:+:$list}
	done
	echo "$list"
}

[ -e "$image" ] || root=$(lower "$root" "$layer")
[ -z "$guest" ] || guest=$(lower guest "${guest#guest}")

clean=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}"
	KERNEL_TREE=/kernel)

# unbuilt DIR: removes what a build in place has left in the overlay DIR. make would take that for
# its own, or refuse to build elsewhere.
unbuilt() {
	[ -e "$1/modules.order" ] || return 0
	find "$1" \( -name .git -o -path "$1/build" \) -prune -o \( -name modules.order \
		-o -name Module.symvers -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '*.o' -o -name '*.bc' \) -exec rm {} +
}

# The mounts, inside the namespace. The positional parameters are the command.
inside() {
	mkdir -p "$cache/mnt" "$top/build"
	mount -t tmpfs none "$cache/mnt"
	cd "$cache/mnt"
	overlay "$root" root
	[ -z "$guest" ] || overlay "$guest" guest
	mkdir checkout
	mount --bind "$top" checkout
	overlay checkout sources
	unbuilt sources
	cd root
	mount --bind ../sources jitasklet
	mount --bind "$top/build" jitasklet/build
	mount --bind -o ro "$source" kernel/source
	mount --bind -o "$mode" "$build" kernel/build
	mount -t proc none proc
	# That is for who owns the network's namespace.
	mount -t sysfs -o ro none sys 2>/dev/null || mount --rbind /sys sys
	mount --rbind /dev dev
	mount -t tmpfs none tmp
	mount -t tmpfs none run
	if [ -n "$guest" ]; then
		mount --bind ../guest guest
		mount --rbind kernel guest/kernel
		mount --bind -o ro "$top" guest/jitasklet
		[ -z "$MODULE" ] || mkdir guest/module
		[ -z "$MODULE" ] || mount --bind -o ro "$MODULE" guest/module
	elif [ -n "$MODULE" ]; then
		cd ..
		mkdir -p theirs "root$MODULE"
		mount --bind "$MODULE" theirs
		overlay theirs module
		unbuilt module
		mount --bind module "root$MODULE"
		cd root
	fi
	exec chroot . "$@"
}

# linked: whether the links of the image are those that the command needs.
linked() {
	[ /jitasklet -ef "$top" ] && [ /kernel/source -ef "$source" ] &&
		[ /kernel/build -ef "$build" ]
}

# Commands that need other links wait for those that are running.
in_image() {
	local fd
	exec {fd}>/run/jitasklet.lock
	flock -s "$fd"
	until linked; do
		flock "$fd"
		ln -sfnT "$top" /jitasklet
		mkdir -p /kernel
		ln -sfnT "$source" /kernel/source
		ln -sfnT "$build" /kernel/build
		flock -s "$fd"
	done
	"${clean[@]}" TMPDIR="$tmp" "$@"
	# The kernel's build notes where the links lead to, which is another path once it has ended.
	[ "$mode" = ro ] || sed -i "s,$build,/kernel/build,; s,$source,/kernel/source," \
		"$build/Makefile"
}

# A directory that is shared with a guest is all that the guest sees, links out of it included.
copy_guest() {
	local dir release dirs=()
	mkdir "$tmp/guest"
	for dir in ${guest//:/ }; do
		dirs=("$cache/${dir#../}" "${dirs[@]}")
	done
	for dir in "${dirs[@]}"; do
		cp -aT "$dir" "$tmp/guest"
	done
	tar -C "$top" --exclude ./.git --exclude ./build -c . | tar -x -C "$tmp/guest/jitasklet"
	if [ -n "$MODULE" ]; then
		mkdir "$tmp/guest/module"
		# CI systems have the cache, and other checkouts, below a project's directory.
		tar -C "$MODULE" --exclude ./.git --exclude "./${cache#"$MODULE"/}" \
			--exclude "./${top#"$MODULE"/}" -c . | tar -x -C "$tmp/guest/module"
	fi
	read -r release _ <"$1/release"
	mkdir "$tmp/guest/jitasklet/build"
	cp -a "$top/build/$release" "$tmp/guest/jitasklet/build/"
	if [ -e "$1/host" ]; then
		mkdir -p "$tmp/guest/kernel/build"
		cp "$build/.config" "$tmp/guest/kernel/build"
	else
		cp -alT "$build" "$tmp/guest/kernel/build"
	fi
}

if [ -e "$image" ]; then
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	# QEMU and virtiofsd outlive a virtme-run that is killed, and have this in their arguments.
	trap 'pkill -KILL -f "$tmp/" || true; rm -rf --one-file-system "$tmp"' EXIT
	if [ -n "$guest" ]; then
		copy_guest "$tree"
		"${clean[@]}" TMPDIR="$tmp" "${@/#\/guest\//$tmp/guest/}"
	else
		in_image "$@"
	fi
	exit
fi
export -f die inside overlay unbuilt
export top cache root guest source build mode MODULE
exec "${isolated[@]}" bash -euc 'inside "$@"' bash "${clean[@]}" TMPDIR=/tmp "$@"
