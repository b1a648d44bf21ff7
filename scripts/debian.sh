# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # what it sets, others use
#
# debian.sh: what is known about Debian, its kernels and its compilers, in one place.

# The suite that all packages come from, and the one with the kernels that have Rust. These were
# built with the compilers of the former.
suite=trixie
kernels_suite=trixie-backports

# The key that both are signed with, in scripts/, from Debian's package debian-archive-keyring:
# 04B5 4C3C DCA7 9751 B16B  C6B5 2256 29DF 75B1 88BD. https://ftp-master.debian.org/keys.html lists
# it, and any Debian has it in /usr/share/keyrings.
keys=debian-archive-trixie.asc

architecture=amd64
triplet=x86_64-linux-gnu

# A kernel's release ends in its flavour, if any, and the architecture: 7.3.4+deb13-rt-amd64.
flavours=(cloud generic rt)
flavour_of() {
	case $1 in
	*-cloud-"$architecture") echo cloud ;;
	*-rt-"$architecture") echo rt ;;
	*) echo generic ;;
	esac
}

# What the kernels were compiled with, and its package.
gcc=$triplet-gcc-14
gcc_package="gcc-14"

# For modules, as Kbuild's argument: the compiler that the kernel of the build directory DIR was
# built with.
compiler_of() {
	if grep -q '^CONFIG_CC_IS_CLANG=y' "$1/.config"; then
		echo LLVM=1
	else
		echo "CC=$gcc"
	fi
}
