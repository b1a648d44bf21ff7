#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-kdir.sh KDIR: says in one line why no out-of-tree Rust module can be built for KDIR, if so.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
kdir=$1

no() {
	die "KDIR=$kdir $*"
}

[ -e "$kdir/Makefile" ] ||
	no "is no kernel build directory: install the headers of your kernel," \
		"or type 'make KERNEL=cloud' to build for one of Debian's kernels."

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null || echo RELEASE)
config() {
	sed -nE "s/^CONFIG_$1=\"?([^\"]*)\"?\$/\\1/p" "$kdir/.config" \
		"$kdir/include/config/auto.conf" 2>/dev/null | head -n 1 || true
}

[ "$(config RUST)" = y ] ||
	no "is a kernel built without CONFIG_RUST, for which no Rust module can be built:" \
		"type 'make kernels' to see kernels that have it."

[ -e "$kdir/rust/libkernel.rmeta" ] ||
	no "has no Rust metadata (distributions do not ship it):" \
		"on one of Debian's kernels type 'sudo make KERNEL=$release';" \
		"in a kernel tree of your own, 'make prepare'."

rustc=$(config RUSTC_VERSION_TEXT)
mine=$("${RUSTC:-rustc}" --version 2>/dev/null || echo 'not there')
[ "${rustc#rustc }" = "${mine#rustc }" ] ||
	no "has Rust metadata made by '$rustc', and the compiler of this machine is '$mine':" \
		"set RUSTC= to the same compiler."
