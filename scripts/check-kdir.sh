#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-kdir.sh KDIR: says in one line why an out-of-tree Rust module cannot be built for KDIR, if so.

. "${BASH_SOURCE[0]%/*}/lib.sh"

kdir=$1

[ -e "$kdir/Makefile" ] ||
	die "KDIR=$kdir is no kernel build directory: install your kernel's headers, or type 'make KERNEL=cloud' to build for one of Debian's."

release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null || echo RELEASE)
config() {
	sed -nE "s/^CONFIG_$1=\"?([^\"]*)\"?\$/\\1/p" "$kdir/.config" "$kdir/include/config/auto.conf" \
		2>/dev/null | head -n 1 || true
}

[ "$(config RUST)" = y ] ||
	die "KDIR=$kdir is a kernel built without CONFIG_RUST, for which no Rust module can be built: type 'make kernels' for those that can."

[ -e "$kdir/rust/libkernel.rmeta" ] ||
	die "KDIR=$kdir has no Rust metadata (distributions do not ship it): on one of Debian's kernels type 'sudo make KERNEL=$release'; in a kernel tree of your own, 'make rust'."

rustc=$(config RUSTC_VERSION_TEXT)
mine=$("${RUSTC:-rustc}" --version 2>/dev/null || echo none)
[ "${rustc#rustc }" = "${mine#rustc }" ] ||
	die "KDIR=$kdir has Rust metadata made by '$rustc', and this machine's compiler is '$mine': set RUSTC= to the same compiler."
