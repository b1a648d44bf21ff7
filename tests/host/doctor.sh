#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doctor.sh: 'make doctor' on a good host, on three bad ones, and on one where only a module can be
# built: what it says, whether it succeeds, and that it changes nothing.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export tmp
# Another cache, which is not there.
export JIT_CACHE=$tmp/cache

# makes_doctor STATUS SCRIPT ARGUMENT...: runs it on a host that SCRIPT has changed for it alone.
makes_doctor() {
	local status=0
	"${isolated[@]}" bash -euc "$2"'; shift; exec "$@"' bash "$2" \
		make --no-print-directory -C "$top" doctor "${@:3}" >"$tmp/said" 2>"$tmp/errors" ||
		status=$?
	[ $((status > 0)) = "$1" ] && [ ! -e "$JIT_CACHE/apt" ] && return
	sed 's/^/# /' "$tmp/said" "$tmp/errors"
	echo "# it ended with $status"
	return 1
}

# says TEXT...: there are lines that begin so, without their spaces.
says() {
	local text bad=0
	sed -E 's/^ +//; s/^(ok|NO|--) +/\1 /; s/[0-9]+ MiB/N MiB/g; s/^/^/' "$tmp/said" \
		>"$tmp/lines"
	for text; do
		grep -qF -- "^$text" "$tmp/lines" || { echo "# it does not say: $text"; bad=1; }
	done
	[ "$bad" = 0 ] || sed 's/^/# /' "$tmp/said"
	return "$bad"
}

# A directory that looks like a kernel's, and a rustc that has made its metadata.
make_kdir() {
	mkdir -p "$tmp"/kdir/{include/config,rust} "$tmp/bin"
	: >"$tmp/kdir/Makefile"
	echo 7.3.0-test >"$tmp/kdir/include/config/kernel.release"
	printf 'CONFIG_%s\n' MODULES=y RUST=y MODULE_SIG=y DEBUG_INFO_BTF_MODULES=y \
		'RUSTC_VERSION_TEXT="rustc 1.2.3 (a test)"' \
		'CC_VERSION_TEXT="x86_64-linux-gnu-gcc-99 (Debian) 99.1"' >"$tmp/kdir/.config"
	printf '#!/bin/sh\necho "rustc 1.2.3 (a test)"\n' >"$tmp/bin/rustc"
	printf '#!/bin/sh\necho "gcc 99.1"\n' >"$tmp/bin/x86_64-linux-gnu-gcc-99"
	chmod +x "$tmp"/bin/*
	# All of this host but apt.
	mkdir "$tmp/few"
	ln -s /usr/bin/* "$tmp/few"
	rm "$tmp/few/apt-get"
}

good() {
	makes_doctor 0 : KDIR="$tmp/none" &&
		says 'ok x86-64' 'ok mounts in a namespace of their own' \
			"ok a cache: $JIT_CACHE" 'ok room for it: N MiB' \
			'ok an archive, or its lists' 'ok make demo' \
			"NO make demo KDIR=$tmp/none"
}

# A container without rights.
no_namespaces() {
	makes_doctor 1 'exec setpriv --bounding-set=-sys_admin "${@:2}"' KDIR="$tmp/none" &&
		says 'NO a guest needs mounts in a namespace of its own, and root may not' \
			'Use an image that needs no rights: see Containerfile.' \
			'ok an archive, or its lists' 'NO make demo'
}

# Without a network, with a small disk.
no_archive() {
	mkdir -p "$JIT_CACHE"
	makes_doctor 1 'mount -t tmpfs -o size=100M none "$JIT_CACHE"
		export MIRROR=http://127.0.0.1:9' KDIR="$tmp/none" &&
		says "NO a first 'make demo' needs N MiB of disk in $JIT_CACHE, which has N" \
			'Make room, or set JIT_CACHE to a directory on a larger disk.' \
			'NO no archive that has trixie-backports can be reached: http://127' \
			'Check the network, or set MIRROR= to the address of a Debian archive.' \
			'NO make demo' && rmdir "$JIT_CACHE"
}

# Debian's headers, which lack the metadata, with other compilers, on a machine with Secure Boot
# that has no apt.
no_metadata() {
	rm -f "$tmp/kdir/rust/libkernel.rmeta"
	makes_doctor 1 '
		mount -t tmpfs none /sys/firmware
		mkdir -p /sys/firmware/efi/efivars
		cd /sys/firmware/efi/efivars
		printf "\6\0\0\0\1" >SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
		mount -t tmpfs none /mnt
		printf "ID=debian\n" >/mnt/os-release
		mount --bind /mnt/os-release "$(realpath /etc/os-release)"
		PATH=$tmp/few' KDIR="$tmp/kdir" RUSTC=none &&
		says "NO the command 'apt-get' is missing on this machine." \
			"NO rustc: the kernel's is 'rustc 1.2.3 (a test)', this machine's is ''" \
			'NO C: there is no x86_64-linux-gnu-gcc-99' \
			'Type: apt-get install gcc-99' \
			'-- BTF: no vmlinux there, so modules have none' \
			"-- signatures: the kernel's own key is not there" \
			"-- Secure Boot is on: this machine's kernel loads signed modules only" \
			'NO make demo' &&
		says "NO KDIR=$tmp/kdir has no Rust metadata, which Debian's headers"
}

# The same, but the metadata and the compilers are there: that is one way.
only_a_module() {
	: >"$tmp/kdir/rust/libkernel.rmeta"
	makes_doctor 0 'PATH=$tmp/bin:$tmp/few' KDIR="$tmp/kdir" &&
		says "NO the command 'apt-get' is missing on this machine." \
			'ok Linux 7.3.0-test, with Rust metadata' \
			"ok rustc: the kernel's is 'rustc 1.2.3 (a test)', this machine's is" \
			'ok C: gcc 99.1' 'NO make demo' "NO make demo KDIR=$tmp/kdir" \
			"ok make KDIR=$tmp/kdir; sudo insmod jitasklet.ko"
}

make_kdir
plan 5
mounts 'a good host' good
mounts 'a host without namespaces' no_namespaces
mounts 'a host without an archive, and with a small disk' no_archive
mounts 'a host without apt, with headers that lack the metadata and Secure Boot' no_metadata
mounts 'a host where only a module can be built' only_a_module
end
