# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# compilers.sh: which compilers a kernel was built with, as its configuration says. For scripts in
# the build root and on the host.

# gcc_of DIR: the gcc that the kernel of the build directory DIR was built with. With clang, the one
# that is there.
gcc_of() {
	sed -nE 's/^CONFIG_CC_VERSION_TEXT="([^ "]*gcc[^ "]*) .*/\1/p' "$1/.config" |
		grep . || echo gcc
}

# compiler_of DIR: for modules, as Kbuild's argument, the compiler that the kernel of the build
# directory DIR was built with. LLVM= chooses one of several of the host's.
compiler_of() {
	if grep -q '^CONFIG_CC_IS_CLANG=y' "$1/.config"; then
		echo "LLVM=${LLVM:-1}"
	else
		echo "CC=$(gcc_of "$1")"
	fi
}
