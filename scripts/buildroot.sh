#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# buildroot.sh: makes the build root, a Debian trixie with the compilers that Debian's kernels are
# built with and all that a build and a guest need, and prints its path.
# buildroot.sh path: prints the path that it has, or would have.

. "${BASH_SOURCE[0]%/*}/lib.sh"

packages=(
	# Rust as the kernels were built with, and what the kernel's Rust needs
	rustc rust-src rustfmt rust-clippy bindgen clang llvm
	# C, and the tools of the kernel's build
	gcc-14 make flex bison bc cpio dwarves kmod libelf-dev libssl-dev libdw-dev python3-minimal
	# the guest
	virtme-ng qemu-system-x86 virtiofsd busybox-static
	# lint: checkpatch is written in Perl
	perl shellcheck
)

# Large, and read by nothing here; the last match wins.
excludes=(
	--dpkgopt='path-exclude=/usr/share/doc/*'
	--dpkgopt='path-exclude=/usr/share/man/*'
	--dpkgopt='path-exclude=/usr/share/info/*'
	--dpkgopt='path-exclude=/usr/share/locale/*'
	--dpkgopt='path-exclude=/usr/lib/llvm-*/lib/*.a'
	--dpkgopt='path-exclude=/usr/src/rustc-*/*'
	--dpkgopt='path-include=/usr/src/rustc-*/library*'
)

# What is mounted into the root, and only while a command runs in it: see enter.sh.
mountpoints=(jitasklet kernel)

key=$({ declare -p packages excludes mountpoints; } | hash)
root=$cache/root-$key

if [ "${1-}" = path ]; then
	echo "$root"
	exit
fi

make_root() {
	mmdebstrap --mode=root --variant=minbase --architectures=amd64 \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--aptopt="$cache/apt/acquire.conf" --dpkgopt=force-unsafe-io "${excludes[@]}" \
		--customize-hook="cd \"\$1\" && mkdir ${mountpoints[*]}" \
		trixie "$root.part" "$cache/apt/sources.list"
}

if [ ! -d "$root" ]; then
	need_root "making the build root"
	make_cache
	lock root
fi
if [ ! -d "$root" ]; then
	need_disk 2600 "the build root"
	if ! command -v mmdebstrap >/dev/null; then
		say "installing the host's package mmdebstrap"
		{ apt-get update && apt-get install -y --no-install-recommends mmdebstrap; } \
			>"$cache/log/mmdebstrap-install.log" 2>&1 </dev/null ||
			die "the package mmdebstrap is missing, and could not be installed." \
				"Type: apt-get update && apt-get install mmdebstrap" \
				"The log: $cache/log/mmdebstrap-install.log"
	fi
	"$top/scripts/archive.sh" >/dev/null
	sweep "$root.part"
	export -f make_root
	# A mount and a PID namespace: however this ends, no mount and no process stays behind.
	logged buildroot "making the build root: ${#packages[@]} packages of Debian trixie" \
		setpriv --pdeathsig KILL \
		unshare --mount --pid --fork --kill-child --mount-proc bash -c "
			$(declare -p packages excludes mountpoints root cache)
			make_root"
	mv -T "$root.part" "$root"
fi
echo "$root"
