#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kdir.sh OUT: a plain make for a KDIR, modules_install and rust-analyzer work, as for any
# out-of-tree module.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
work=build/${out##*/}/kdir

plain() {
	local script=/jitasklet/tests/buildroot/plain-make.sh
	"$top/scripts/enter.sh" "$out/tree" "$script" "$work" "$@" >&2
}

installed() {
	plain JITASKLET_INLINE=n modules_install || return
	module=$(find "$top/$work/installed" -name 'jitasklet.ko*')
	[ -n "$module" ] && grep -qa "version=$version" "$module"
}

# Whatever looks like a path is one.
paths_exist() {
	local path file=$top/$work/rust-project.json
	"$top/scripts/rust-analyzer.sh" "$out" "$file" && grep -q '"jit_tasklet"' "$file" || return
	grep -oE '^ *("[a-z_A-Z]+": )?"/[^"\\]*"' "$file" | sort -u |
		sed -E 's,.*"(/.*)",\1,' >"$top/$work/paths"
	[ -s "$top/$work/paths" ] && while read -r path; do
		[ -e "$path" ] || { echo "# there is no $path"; return 1; }
	done <"$top/$work/paths"
}

version=$(sed -nE 's/^## \[([0-9.]+)\].*/\1/p' "$top/CHANGELOG.md" | head -n 1)
rm -rf --one-file-system "${top:?}/$work"
mkdir -p "$top/$work"

plan 3
check 'rust-project.json names files that exist' paths_exist
check 'a plain make builds the module' plain JITASKLET_INLINE= module
check 'modules_install installs it, and it has the version of CHANGELOG.md' installed
end
