#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build.sh KERNEL [KVER]: builds the module for one of Debian's kernels, or for the one that was
# built in the directory KERNEL, and prints where: the directory build/RELEASE, or build/kdir-HASH,
# with jitasklet.ko and the kernel's image vmlinuz. The link build/FLAVOUR, or build/kdir, points to
# what was built last of that kind, and tree in that directory to the kernel tree.
# With JITASKLET_SAMPLES=m in the environment, also builds jit_edu.ko.
#
# If the variable MODULE names the directory of somebody else's module, NAME, that module is built
# instead, in build/RELEASE/m/NAME.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
[ ! -e "$top/build" ] || [ -w "$top/build" ] ||
	die "$top/build belongs to $(stat -c %U "$top/build"), and you may not write there." \
		"If that is from an earlier 'sudo make', type: sudo rm -r $top/build"
module=${MODULE-} what=jitasklet
if [ -n "$module" ]; then
	[ -d "$module" ] || die "M=$module: there is no such directory."
	[ -e "$module/Kbuild" ] || [ -e "$module/Makefile" ] ||
		die "M=$module has neither a Kbuild nor a Makefile." \
			"Write one that names its modules (obj-m): see docs/your-module.md."
	what=$module
fi
tree=$(MODULE='' "$top/scripts/kernel-tree.sh" "$@")
read -r release flavour <"$tree/release"
out=$top/build/$release

mkdir -p "$out"
exec {fd}>"$out/.lock"
flock "$fd"
# What was built for another kernel of that release is of no use for this one.
[ ! -L "$out/tree" ] || [ "$(readlink "$out/tree")" = "$tree" ] ||
	find "$out" -mindepth 1 ! -name .lock -delete
ln -sfn "$tree" "$out/tree"

into=build/$release${module:+/m/${module##*/}}
"$top/scripts/enter.sh" "$tree" \
	/jitasklet/scripts/buildroot/kbuild.sh "${module:-.}" "$into" modules \
	JITASKLET_SAMPLES="${JITASKLET_SAMPLES-}" </dev/null >&2 ||
	die "$what could not be built for $release: see above."
if [ -n "$module" ]; then
	made=$(sed "s,\(.*\)o$,$into/\1ko," "$top/$into/modules.order" | xargs)
	[ -n "$made" ] || die "M=$module builds no module." "Name it there: obj-m := NAME.o"
	say "built $made"
fi
cmp -s "$tree/vmlinuz" "$out/vmlinuz" || cp "$tree/vmlinuz" "$out/vmlinuz"
ln -sfn "$release" "$top/build/$flavour"
echo "$out"
