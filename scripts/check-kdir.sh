#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-kdir.sh KDIR: fails, with the reason in one line, if no out-of-tree Rust module can be built
# for KDIR.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

[ $# -ge 1 ] || usage
kdir=$1

refuse() {
	die "KDIR=$kdir $*"
}

[ -e "$kdir/Makefile" ] ||
	refuse "is no kernel build directory: to build for one of Debian's kernels, type" \
		"'make KERNEL=$(uname -r)' or another one that 'make kernels' lists;" \
		"for other distributions, install the headers of your kernel."

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null || echo RELEASE)
config() {
	sed -nE "s/^CONFIG_$1=\"?([^\"]*)\"?\$/\\1/p" "$kdir/.config" \
		"$kdir/include/config/auto.conf" 2>/dev/null | head -n 1 || true
}

# A release need not begin with Linux's version.
version=$(sed -nE 's/^#define LINUX_VERSION_(MAJOR|PATCHLEVEL) ([0-9]+)$/\2/p' \
	"$kdir/include/generated/uapi/linux/version.h" 2>/dev/null | paste -sd . || true)
[ -z "$version" ] || printf '%s\n' "$oldest" "$version" | sort -CV ||
	refuse "is Linux $version, which is too old: jitasklet needs $oldest or newer."

[ "$(config MODULES)" = y ] ||
	refuse "is a kernel built without CONFIG_MODULES, which loads no modules."

[ "$(config RUST)" = y ] ||
	refuse "is a kernel built without CONFIG_RUST, for which no Rust module can be built:" \
		"type 'make kernels' to list kernels built with it."

[ -e "$kdir/rust/libkernel.rmeta" ] ||
	refuse "has no Rust metadata, which Debian's headers do not contain:" \
		"on one of Debian's kernels type 'make KERNEL=$release';" \
		"in a kernel tree of your own, 'make prepare'."

rustc=$(config RUSTC_VERSION_TEXT)
mine=$("${RUSTC:-rustc}" --version 2>/dev/null || echo 'not there')
[ "${rustc#rustc }" = "${mine#rustc }" ] ||
	refuse "has Rust metadata made by '$rustc', but the compiler of this machine is '$mine':" \
		"set RUSTC= to the former."
