#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# errors.sh: bad input, bad archives, a full disk and Ctrl-C: each error says what happened and what
# to do, and nothing half-made is left.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$top" || exit

# fails_cleanly PATTERN COMMAND...: as fails_with, and the command leaves nothing half-made in a
# cache below $tmp.
fails_cleanly() {
	fails_with "$@" && [ -z "$(find "$tmp" -name '*.part' -print -quit)" ]
}

kdir() {
	mkdir -p "$tmp/kdir/include/config" "$tmp/kdir/rust"
	: >"$tmp/kdir/Makefile"
	rm -f "$tmp/kdir/rust/libkernel.rmeta"
	printf '%s\n' "$@" >"$tmp/kdir/.config"
	echo 7.2.0-test >"$tmp/kdir/include/config/kernel.release"
}

no_rust() {
	kdir 'CONFIG_MODULES=y'
	fails_cleanly 'built without CONFIG_RUST' make KDIR="$tmp/kdir"
}

no_modules() {
	kdir 'CONFIG_RUST=y'
	fails_cleanly 'built without CONFIG_MODULES' make KDIR="$tmp/kdir"
}

too_old() {
	kdir 'CONFIG_MODULES=y' 'CONFIG_RUST=y'
	mkdir -p "$tmp/kdir/include/generated/uapi/linux"
	printf '#define LINUX_VERSION_%s\n' 'MAJOR 6' 'PATCHLEVEL 18' 'SUBLEVEL 3' \
		>"$tmp/kdir/include/generated/uapi/linux/version.h"
	fails_cleanly 'is Linux 6\.18, which is too old' make KDIR="$tmp/kdir" || return
	rm -r "$tmp/kdir/include/generated"
}

no_metadata() {
	kdir 'CONFIG_MODULES=y' 'CONFIG_RUST=y'
	fails_cleanly "has no Rust metadata.*make KERNEL=7.2.0-test" make KDIR="$tmp/kdir"
}

other_rustc() {
	kdir 'CONFIG_MODULES=y' 'CONFIG_RUST=y' \
		'CONFIG_RUSTC_VERSION_TEXT="rustc 1.2.3 (of another day)"'
	: >"$tmp/kdir/rust/libkernel.rmeta"
	fails_cleanly "made by 'rustc 1.2.3 .*set RUSTC=" make KDIR="$tmp/kdir"
}

# An archive made below $tmp, for each way in which one can be unusable.
archive() {
	env JIT_CACHE="$tmp/cache" MIRROR="$1" STALE_OK= make kernels
}

unsigned_archive() {
	local suite
	for suite in trixie trixie-backports; do
		mkdir -p "$tmp/unsigned/dists/$suite"
		printf 'Codename: %s\nSuite: %s\n' "$suite" "$suite" \
			>"$tmp/unsigned/dists/$suite/Release"
	done
	fails_cleanly 'its signature cannot be verified' archive "file:$tmp/unsigned"
}

# changed_host SCRIPT COMMAND...: runs the command on a host that SCRIPT has changed for it alone.
changed_host() {
	"${isolated[@]}" bash -euc "$1"'; shift; exec "$@"' bash "$@"
}

# The real archive, on a host whose apt considers a Release file stale after a second.
stale_archive() {
	fails_cleanly 'past its Valid-Until.*STALE_OK=1' changed_host '
		mount -t tmpfs none /etc/apt/apt.conf.d
		echo "Acquire::Check-Valid-Until \"true\"; Acquire::Max-ValidTime \"1\";" \
			>/etc/apt/apt.conf.d/test' env JIT_CACHE="$tmp/stale" STALE_OK= make kernels
}

# No network, two days after the lists were made.
offline() {
	local -x JIT_CACHE=$tmp/offline
	make kernels >/dev/null 2>&1 && touch -d '2 days ago' "$JIT_CACHE/apt/key" &&
		"${isolated[@]}" --net make kernels 2>/dev/null | grep default >/dev/null
}

little_disk() {
	mkdir -p "$tmp/disk"
	fails_cleanly 'needs [0-9]+ MiB of disk in .*, which has [0-9]+ MiB left' \
		changed_host "mount -t tmpfs -o size=400M none '$tmp/disk'" \
		env JIT_CACHE="$tmp/disk" make demo
}

# As if Debian signed with a newer key: the one that is known is another.
other_key() {
	{
		printf -- '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n'
		base64 /usr/share/keyrings/debian-archive-bookworm-stable.gpg
		echo '-----END PGP PUBLIC KEY BLOCK-----'
	} >"$tmp/other.asc"
	fails_cleanly 'is not made with the key of trixie' \
		changed_host "mount --bind '$tmp/other.asc' scripts/debian-archive-trixie.asc" \
		env JIT_CACHE="$tmp/other" make kernels
}

# A host like Ubuntu, whose apt knows neither Debian's archive nor its keys.
no_debian() {
	local uri
	uri=$(awk '{ print $2; exit }' "$cache/apt/sources.list")
	changed_host '
		for dir in /etc/apt/sources.list.d /etc/apt/trusted.gpg.d /usr/share/keyrings; do
			[ ! -d "$dir" ] || mount -t tmpfs none "$dir"
		done
		[ ! -e /etc/apt/sources.list ] || mount --bind /dev/null /etc/apt/sources.list' \
		env JIT_CACHE="$tmp/ubuntu" bash -euc '
			if make kernels >"$1" 2>&1; then exit 1; fi
			grep -q "Set MIRROR= to the address" "$1"
			MIRROR=$2 make kernels | grep default' bash "$tmp/ubuntu.said" "$uri"
}

# The processes of a command with the cache $tmp/interrupted that are still running.
running() {
	pgrep -f "$tmp/interrupted" || grep -lsz "^JIT_CACHE=$tmp/interrupted$" /proc/[0-9]*/environ
}

# interrupted PROGRAM PATTERN: Ctrl-C while make demo waits for a PROGRAM whose directory and
# arguments match PATTERN, and which hangs. The next run must start over, and find nothing
# half-made. That is in a copy of the checkout: a build directory names the cache it comes from.
interrupted() {
	local pid made reached=$tmp/reached
	rm -rf "$tmp"/interrupted/*.part "${tmp:?}/bin" "$reached"
	mkdir "$tmp/bin"
	cat >"$tmp/bin/$1" <<-EOF
		#!/bin/bash
		[[ "\$PWD \$*" = $2 ]] || exec $(command -v "$1") "\$@"
		: >"$reached"
		exec tail -f /dev/null
	EOF
	chmod +x "$tmp/bin/$1"
	PATH=$tmp/bin:$PATH JIT_CACHE=$tmp/interrupted setsid env --default-signal=INT \
		make -C "$tmp/copy" demo >"$tmp/interrupted.log" 2>&1 </dev/null &
	pid=$!
	until [ -e "$reached" ]; do
		kill -0 "$pid" || { sed 's/^/# /' "$tmp/interrupted.log"; return 1; }
		sleep 0.1
	done
	kill -INT -- "-$pid"
	wait "$pid" && return 1
	# Killed processes end soon.
	for _ in {1..600}; do
		running >/dev/null || break
		sleep 0.1
	done
	# Nothing runs in the background, nothing is mounted, and what looks complete is complete.
	! running && ! grep "$tmp" /proc/mounts || return
	for made in "$tmp"/interrupted/{root,kernel}-*[0-9a-f]; do
		[ ! -d "$made" ] || [ -e "$made/var/lib/dpkg/status" ] || [ -e "$made/release" ] ||
			return
	done
}

interruptions() {
	local root roots=(guest)
	# An image has the packages of the others.
	[ -e "$image" ] || roots+=(build emulator)
	copy_checkout "$tmp/copy"
	interrupted apt-get '*update' || return
	for root in "${roots[@]}"; do
		# While another was interrupted, this one may have been completed.
		rm -rf "$tmp/interrupted/root-$root-"*
		interrupted dpkg-deb "*/root-$root-*/libc6_*" || return
	done
}

plan 17
check 'an unknown KERNEL= is named' fails_cleanly 'KERNEL=toast: there is no such kernel' \
	make demo KERNEL=toast
check 'an unknown KVER= is named' fails_cleanly 'KVER=9.9: .* has no such version' \
	make demo KVER=9.9
check 'a KDIR that is no build directory' fails_cleanly 'is no kernel build directory' \
	make KDIR="$tmp/none"
check 'a KDIR without CONFIG_RUST' no_rust
check 'a KDIR without CONFIG_MODULES' no_modules
check 'a KDIR of a Linux that is too old' too_old
check 'a KDIR without Rust metadata' no_metadata
check 'a KDIR made by another rustc' other_rustc
check 'an archive that cannot be reached' fails_cleanly 'cannot be reached' \
	archive 'http://127.0.0.1:9/debian'
check 'an archive without trixie' fails_cleanly 'it has no trixie' archive "file:$tmp"
check 'an archive without signatures' unsigned_archive
mounts 'a stale archive' stale_archive
mounts 'an archive signed with another key' other_key
mounts 'a host that knows nothing of Debian needs only MIRROR=' no_debian
mounts 'without a network, the lists of an earlier day are used' offline
mounts 'too little disk' little_disk
check 'Ctrl-C leaves nothing half-made and nothing running' interruptions
end
