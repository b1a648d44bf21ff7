#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# own-kernel.sh OUT: demo, check and bisect for a kernel that was built in a directory of its own,
# by the compilers of the machine. The chroot of chroot.sh stands in for that machine, and Debian's
# kernel with its metadata for the kernel: make does not build it again.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"
. "$top/tests/host/chroot.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-own-kernel.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT
kdir=$tmp/copy/kdir

make_kdir() {
	local source
	source=$(realpath "$out/tree/source")
	cp -a "$out/tree/build" "$kdir" && mkdir -p "$kdir/arch/x86/boot" &&
		cp "$out/vmlinuz" "$kdir/arch/x86/boot/bzImage" &&
		ln -sfn "$source" "$kdir/source" && : >"$kdir/MAINTAINERS" &&
		sed -i "s,/kernel/source,$source,; s,/kernel/build,/src/kdir," "$kdir/Makefile" &&
		git init -q "$kdir" && git -C "$kdir" -c user.name=a -c user.email=a@b.invalid \
		commit -q --allow-empty -m first || return
	# The kernel is there already. With the file "broken" it does not build.
	cat >"$kdir/GNUmakefile" <<-'END'
		ifdef M
		include Makefile
		else
		.PHONY: olddefconfig bzImage modules
		olddefconfig: ;
		bzImage modules: ; @test ! -e broken
		endif
	END
}

on_machine() {
	container "$@" >"$tmp/said" 2>&1
}

# makes PATTERN LINES ARGUMENT...: runs make, and checks that LINES lines of its output match.
makes() {
	on_machine make -C /src KDIR=/src/kdir "${@:3}" &&
		grep -cE "$1" "$tmp/said" | grep -x "$2" && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# without OPTION COMMAND...: runs the command while the kernel lacks an option.
without() {
	local status=0
	cp "$kdir/.config" "$tmp/config"
	sed -i "/^$1=/d" "$kdir/.config"
	"${@:2}" || status=$?
	cp "$tmp/config" "$kdir/.config"
	return "$status"
}

lists_options() {
	makes 'has all that the guest and its suites need' 1 kconfig &&
		without CONFIG_VIRTIO_CONSOLE makes '^CONFIG_VIRTIO_CONSOLE=y$' 1 kconfig
}

refused() {
	! on_machine make -C /src KDIR=/src/kdir demo &&
		grep 'It lacks: CONFIG_VIRTIO_CONSOLE$' "$tmp/said"
}

not_built() {
	local status=0
	mv "$kdir/Module.symvers" "$tmp"
	on_machine make -C /src KDIR=/src/kdir demo || status=$?
	mv "$tmp/Module.symvers" "$kdir"
	[ "$status" != 0 ] &&
		grep 'has no Module.symvers: its kernel is not wholly built' "$tmp/said"
}

# The other suite runs.
skips() {
	local option=CONFIG_EPROBE_EVENTS
	without "$option" makes \
		"SKIP this kernel lacks $option=y|^[1-9][0-9]+ passed, 0 failed, 1 skipped$" 2 \
		check SUITES='files trace'
}

# bisects STATUS PATTERN SUITE...
bisects() {
	local status=0 config
	config=$(<"$kdir/.config")
	on_machine bash -c 'cd /src/kdir && exec ../scripts/bisect.sh "$@"' bash "${@:3}" ||
		status=$?
	[ "$status" = "$1" ] && grep -E "$2" "$tmp/said" &&
		[ "$config" = "$(<"$kdir/.config")" ] && return
	sed 's/^/# /' "$tmp/said"
	echo "# the status is $status"
	return 1
}

# with COMMANDS BISECTS...: with a suite of one test, and these commands before it.
with() {
	sed "s,^plan.*,plan 1; $1; check 'it loads' load; end," "$top/tests/guest/files.sh" \
		>"$tmp/copy/tests/guest/files.sh"
	"${@:2}"
}

does_not_boot() {
	truncate -s 1M "$kdir/arch/x86/boot/bzImage"
	bisects 125 'or no test began' files
}

does_not_build() {
	: >"$kdir/broken"
	bisects 125 'the kernel did not build' files
}

no_configuration() {
	local status=0
	mv "$kdir/.config" "$tmp"
	on_machine bash -c 'cd /src/kdir && exec ../scripts/bisect.sh files' || status=$?
	mv "$tmp/.config" "$kdir"
	[ "$status" = 128 ] && grep 'has no configuration' "$tmp/said"
}

plan 12
[ -e "$image" ] || { make_container && make_kdir; } || exit
mounts 'make kconfig lists what the guest needs and a kernel lacks' lists_options
mounts 'a kernel without what the guest needs is refused' \
	without CONFIG_VIRTIO_CONSOLE refused
mounts 'a kernel that was not built is refused' not_built
mounts 'make demo prints its tables' makes '^   time   delta' 4 demo
mounts 'make check skips a suite by the name of an option that is off' skips
mounts 'bisect: a commit is good' with true bisects 0 'good: 1 passed' files
mounts 'bisect: with a suite that is not for KDIR= the bisection ends' \
	bisects 128 'there is no such suite' defects
mounts 'bisect: with a failed test it is bad' with load bisects 1 'files: it loads' files
mounts 'bisect: if the kernel crashes in a test it is bad' \
	with 'echo c >/proc/sysrq-trigger' bisects 1 'was cut off' files
mounts 'bisect: if no test begins it is skipped' does_not_boot
mounts 'bisect: if the kernel does not build it is skipped' does_not_build
mounts 'bisect: without a configuration the bisection ends' no_configuration
end
