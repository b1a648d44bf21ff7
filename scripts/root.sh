#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# root.sh NAME: makes one of the roots build, emulator and guest, or one of the layers load, check,
# plot, junit, schema and image, from packages of Debian, and prints its path.
# root.sh NAME path: prints the path that it has, or would have.
# root.sh NAME packages: prints the packages that are asked for.
#
# The packages are unpacked, not installed: no maintainer script runs, and finish() makes the few
# files that are needed of those that such scripts would make. So a root takes seconds, on all CPUs,
# and the host needs only apt, dpkg-deb, tar and util-linux.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

# The suite of the kernel, and its gcc, are those of the variable COMPILERS, for the root build and
# its layers. All others have packages of one suite.
name=${1-} from=${suites[0]} llvm='' mib=0 on='' base='' there=() python=() applets=()
basics=(base-files bash coreutils dash diffutils findutils grep gzip libc-bin mawk sed tar xz-utils)

case $name in
# The build root: the compilers that Debian's kernels are built with.
build)
	mib=1400
	read -r from gcc_package <<<"${COMPILERS:-$from $gcc_package}"
	llvm=$(llvm_in "$from")
	packages=("${basics[@]}"
		# Rust as the kernels were built with, and what the kernel's Rust needs
		rustc rust-src bindgen "clang$llvm" "llvm$llvm"
		# C, and the tools of the kernel's build
		"$gcc_package" make flex bison bc cpio dwarves kmod openssl libelf-dev libssl-dev
		libdw-dev python3-minimal zstd)
	# Counted as installed: bindgen loads the library, but reads no header of libclang's, and
	# needs no rustfmt for output that only a compiler reads.
	there=(libclang-dev)
	;;
# The emulator's root: boots guests.
emulator)
	mib=400
	packages=("${basics[@]}" virtme-ng qemu-system-x86 virtiofsd procps)
	# Only virtme-ng's front end, vng, imports these; virtme-run does not.
	there=(python3-argcomplete python3-pkg-resources python3-requests)
	python=(virtme-run --help)
	;;
# The guest's root.
guest)
	mib=200
	packages=("${basics[@]}" base-passwd busybox-static hostname kmod ncurses-base procps
		python3 util-linux)
	python=(python3 -c 'import collections, ctypes, mmap, os, re, socket, statistics, struct')
	# Programs that the guest starts at boot, or often: busybox replaces them. An emulated CPU
	# takes 60 ms to start busybox, and 120 to 250 ms to start a dynamically linked program.
	applets=(base64 basename cat chmod chown cp dirname dmesg grep hostname id install ip ln
		mkdir mktemp mount nproc poweroff rm sed setsid stty sync touch umount uname)
	;;
# Layers on top of a root: packages that only some commands need.
# load for the guest, the compile of lab/compile.sh, and what signs modules
load) mib=600 on=guest packages=(stress-ng "$gcc_package" libc6-dev make openssl) ;;
# LLVM=1 for the debug kernel, the model in tests/model/, and lint: checkpatch is written in Perl
check)
	mib=1000 on=build
	packages=(lld cargo librust-loom-dev perl rustfmt rust-clippy shellcheck flake8) ;;
# the pictures of make bench and make lab
plot)
	mib=500 on=build
	packages=(python3-matplotlib)
	python=(python3 -c 'import matplotlib.pyplot')
	;;
# a schema and a parser for junit.xml
junit) mib=100 on=build packages=(python3-junitparser python3-lxml) ;;
# what check-jsonschema needs, and YAML for the suite ci
schema)
	mib=100 on=build
	packages=(python3-click python3-jsonschema python3-requests python3-ruamel.yaml)
	;;
# what the host has for the scripts: see Containerfile
image) mib=100 on=build packages=(apt ca-certificates git mount util-linux) ;;
*) usage ;;
esac

# Large, and not needed here.
excludes=('./usr/share/'{doc,man,info,locale,bug,lintian} './usr/lib/llvm-*/lib/*.a'
	'./usr/src/rustc-*/[!l]*')

# Mounted into a root while a command runs in it: see enter.sh.
mountpoints=(dev proc sys tmp run jitasklet kernel/source kernel/build guest)

# status_of DEB...: prints the entries that dpkg would have in its status file.
status_of() {
	local deb
	for deb; do
		dpkg-deb -f "$deb"
		printf 'Status: install ok installed\n\n'
	done
}

unpack() {
	dpkg-deb --fsys-tarfile "$1" | tar -x -C "$part" --no-same-owner --keep-directory-symlink \
		--no-wildcards-match-slash -X "$part/debs/excludes"
}

# Makes what the packages' scripts would have made.
finish() {
	local file
	[ ! -e usr/share/base-passwd/passwd.master ] || {
		cp usr/share/base-passwd/passwd.master etc/passwd
		cp usr/share/base-passwd/group.master etc/group
	}
	for file in blas lapack; do
		file=usr/lib/$triplet/$file/lib$file.so.3
		[ ! -e "$file" ] || ln -s "${file#"usr/lib/$triplet/"}" "${file%/*/*}"
	done
	[ ! -e usr/bin/gcc ] || ln -s gcc usr/bin/cc
	[ -z "$llvm" ] || for file in usr/bin/{clang,llvm}*"$llvm"; do
		[ ! -e "$file" ] || ln -sf "${file##*/}" "${file%"$llvm"}"
	done
	[ -z "$on" ] || return 0

	ln -sf dash usr/bin/sh
	ln -sf mawk usr/bin/awk
	mkdir -p "${mountpoints[@]}"
	ldconfig -r .
	if [ "$name" = guest ]; then
		for file in "${applets[@]}"; do
			ln -sf busybox "usr/bin/$file"
		done
		cat >etc/fstab <<-END
			proc     /proc                proc     defaults
			sys      /sys                 sysfs    defaults
			run      /run                 tmpfs    mode=755
			tmp      /tmp                 tmpfs    mode=1777
			debugfs  /sys/kernel/debug    debugfs  defaults
			tracefs  /sys/kernel/tracing  tracefs  defaults
			cgroup2  /sys/fs/cgroup       cgroup2  defaults
			devpts   /dev/pts             devpts   mode=620,ptmxmode=666
			shm      /dev/shm             tmpfs    mode=1777
		END
	fi
}

# Python caches compiled modules, but cannot where it cannot write. So it is started once here.
start_python() {
	if [ -e "$image" ]; then
		chroot "$part" "${python[@]}" >/dev/null
		return
	fi
	mount -t tmpfs none "$cache/mnt"
	cd "$cache/mnt"
	overlay "$part${base:+:../$base}" root
	env -i PATH=/usr/sbin:/usr/bin HOME=/tmp chroot root "${python[@]}" >/dev/null
	cd root.upper
	find . -name __pycache__ -exec cp -a --parents -t "$part" {} +
}

# In a mount and a PID namespace: however this ends, no mount and no process is left behind.
make_root() {
	local package
	cd "$part"
	if [ -n "$on" ]; then
		cp "$cache/$base/var/lib/dpkg/status" debs/status
	else
		for package in "${there[@]}"; do
			printf '%s\n' "Package: $package" 'Status: install ok installed' \
				'Version: 99:1' "Architecture: $architecture" ''
		done >debs/status
		ln -s usr/{bin,sbin,lib,lib64} .
		mkdir -p usr/{bin,sbin,lib,lib64}
	fi
	APT_CONFIG=$conf apt-get install --yes --download-only \
		--no-install-recommends -o Dir::State::status="$part/debs/status" \
		-o Dir::Cache::archives="$part/debs" "${packages[@]}"
	printf '%s\n' "${excludes[@]}" >debs/excludes
	# The largest first, so that the CPUs finish at about the same time.
	# shellcheck disable=SC2011
	ls -S debs/*.deb | xargs -P "$(nproc)" -I {} bash -euo pipefail -c 'unpack {}'
	finish
	mkdir -p var/lib/dpkg
	{ cat debs/status; status_of debs/*.deb; } >var/lib/dpkg/status
	rm -r debs
	[ ${#python[@]} -eq 0 ] || start_python
}

if [ "${2-}" = packages ]; then
	echo "${packages[@]}"
	exit
fi
[ "$on" != build ] || read -r from _ <<<"${COMPILERS:-$from -}"
[ -z "$on" ] || base=$(basename "$("$0" "$on" path)")
# Packages of one suite may not be the same as those of another by the same name.
compilers=$(compilers_in "$from")
key=$({
	declare -p packages there excludes mountpoints applets base python triplet compilers
	declare -f finish unpack start_python make_root
} 2>/dev/null | hash)
root=$cache/root-$name-$key
part=$root.part

if [ "${2-}" = path ] || [ -d "$root" ]; then
	echo "$root"
	exit
fi

# An image has the packages of all roots but a guest's.
if [ -e "$image" ] && [ "$name" != guest ] && [ "$on" != guest ]; then
	[ "$compilers" = "$suite" ] ||
		die "the kernels of $from need $compilers' compilers; this image has $suite's." \
			"Choose a kernel of ${suites[0]}."
	echo /
	exit
fi

need_namespaces "making a root"
make_cache
[ -z "$on" ] || "$0" "$on" >/dev/null
lock "root-$name"
if [ ! -d "$root" ]; then
	need_disk "$mib" "the root '$name'"
	conf=$("$top/scripts/archive.sh" "$from")
	sweep "$part"
	mkdir -p "$part/debs/partial" "$cache/mnt"
	export -f die overlay unpack status_of finish start_python make_root
	logged "root-$name" "unpacking Debian's packages for the root '$name'" \
		"${isolated[@]}" bash -euo pipefail -c "
			$(declare -p image conf cache name on base part packages there excludes \
				mountpoints applets python architecture triplet llvm)
			export part
			make_root"
	mv -T "$part" "$root"
fi
echo "$root"
