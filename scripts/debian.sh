# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # what it sets, others use
#
# debian.sh: what is known about Debian, its kernels and its compilers, in one place.

# The suites whose kernels have Rust, the default first.
suites=(trixie-backports forky sid experimental)

# compilers_in SUITE: the suite with the compilers that the kernels of SUITE were built with.
compilers_in() {
	case $1 in
	trixie-backports) echo trixie ;;
	experimental) echo sid ;;
	*) echo "$1" ;;
	esac
}

# llvm_in SUITE: the ending of the names of LLVM's packages, where the compilers for SUITE are. Its
# version must be that of rustc's LLVM: older tools cannot read what rustc emits.
llvm_in() {
	case $1 in
	trixie*) ;;
	*) echo -22 ;;
	esac
}

# The oldest Linux that jitasklet is built for: older ones lack parts of the kernel crate.
oldest=7.2

# The suite that QEMU and the guest's programs come from, whatever the kernel is, and its gcc.
suite=trixie
gcc_package=gcc-14

# The key that all are signed with, in scripts/, from Debian's package debian-archive-keyring:
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
