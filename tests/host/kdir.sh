#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kdir.sh OUT: a plain make for a KDIR, modules_install and rust-analyzer work, as for any
# out-of-tree module.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

out=$(realpath "$1")
work=build/${out##*/}/kdir

# In a copy, because it builds in the source directory. Where modules are signed, only the
# distribution has the key.
plain() {
	"$top/scripts/enter.sh" "$out/tree" sh -euc '
		cp -r /jitasklet/Makefile /jitasklet/Kbuild /jitasklet/*.rs /jitasklet/helpers \
			/jitasklet/scripts "/jitasklet/$1"
		make -C "/jitasklet/$1" --no-print-directory -s KDIR=/kernel/build "$2" \
			CC=x86_64-linux-gnu-gcc-14 CONFIG_DEBUG_INFO_BTF_MODULES= \
			CONFIG_MODULE_SIG_ALL= CONFIG_MODULE_COMPRESS_ALL= DEPMOD=true \
			INSTALL_MOD_PATH="/jitasklet/$1/installed" "$3"' sh "$work" "$@" >&2
}

installed() {
	plain JITASKLET_INLINE=n modules_install || return
	module=$(find "$top/$work/installed" -name 'jitasklet.ko*')
	[ -n "$module" ] && grep -qa "version=$version" "$module"
}

# Whatever looks like a path is one.
paths_exist() {
	local path
	"$top/scripts/rust-analyzer.sh" "$out" &&
		grep -q '"jit_tasklet"' "$top/rust-project.json" || return
	grep -oE '^ *("[a-z_A-Z]+": )?"/[^"\\]*"' "$top/rust-project.json" | sort -u |
		sed -E 's,.*"(/.*)",\1,' >"$top/$work/paths"
	[ -s "$top/$work/paths" ] && while read -r path; do
		[ -e "$path" ] || { echo "# there is no $path"; return 1; }
	done <"$top/$work/paths"
}

version=$(sed -nE 's/^## \[([0-9.]+)\].*/\1/p' "$top/CHANGELOG.md" | head -n 1)
rm -rf --one-file-system "${top:?}/$work"
mkdir -p "$top/$work"

plan 3
t 'rust-project.json names files that exist' paths_exist
t 'a plain make builds the module' plain JITASKLET_INLINE= module
t 'modules_install installs it, and it has the version of CHANGELOG.md' installed
end
