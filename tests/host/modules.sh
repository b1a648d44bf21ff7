#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# modules.sh OUT: other modules, with M=: those in samples/ are built, loaded and tested for the
# kernel of the build directory OUT and, if that is the ordinary one, for the PREEMPT_RT kernel; bad
# ones are refused, or fail.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
flavour=$(cut -d ' ' -f 2 "$out/tree/release")
kernels=("$flavour")
[ "$flavour" != cloud ] || kernels+=(rt)
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-modules.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# Modules are where nothing else is, and tasklet gets the files that README.md says to copy.
copy_samples() {
	local file
	cp -r "$top/samples" "$tmp" && mkdir "$tmp/samples/tasklet/helpers" || return
	for file in $(sed -nE 's/^\| tasklets \| (.*) \| (.*) \|$/\1 \2/p' "$top/README.md" |
		tr -d '`,') helpers.c; do
		case $file in
		*.c) cp "$top/helpers/$file" "$tmp/samples/tasklet/helpers" || return ;;
		*) cp "$top/$file" "$tmp/samples/tasklet" || return ;;
		esac
	done
	sed -nE 's/^#include "(.*)"$/\1/p' "$top/helpers/helpers.c" | while read -r file; do
		[ -e "$tmp/samples/tasklet/helpers/$file" ] ||
			sed -i "/\"$file\"/d" "$tmp/samples/tasklet/helpers/helpers.c"
	done
}

# of KERNEL MODULE ARGUMENT...: runs make with this M=, from elsewhere.
of() {
	(cd / && make --no-print-directory -C "$top" KERNEL="$1" M="$tmp/samples/$2" "${@:3}")
}

# passes COUNT KERNEL MODULE: its test has that many results, or one more on a kernel with kmemleak,
# and the module's directory stays as it is.
passes() {
	local before
	[ "$2" != debug ] || set -- $(($1 + 1)) "${@:2}"
	before=$(find "$tmp/samples/$3" -printf '%p %T@\n' | sort)
	of "$2" "$3" check TEST=test.sh >"$tmp/said" 2>&1 &&
		grep -x "$1 passed, 0 failed" "$tmp/said" &&
		grep -q "tests=\"$1\" failures=\"0\"" "$top/build/$2/m/$3/junit.xml" &&
		[ "$before" = "$(find "$tmp/samples/$3" -printf '%p %T@\n' | sort)" ] && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# What the demo prints, without times: the kernel's lines of loading, then those of unloading.
shows_its_log() {
	of "$flavour" minimal demo 2>&1 | tee "$tmp/said" | awk '
	/^Loading|^Unloading/ { print $1 }
	/minimal: (hello|goodbye)/ { print $NF }' >"$tmp/shown"
	[ "$(xargs <"$tmp/shown")" = 'Loading hello Unloading: goodbye' ] && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

lives_in_the_shell() {
	of "$flavour" minimal shell >"$tmp/said" 2>&1 <<<'ls; grep minimal /proc/modules' &&
		grep '^minimal [0-9]' "$tmp/said" && grep -x minimal.rs "$tmp/said"
}

# As if it had been built for another kernel, in place: what is there is no object.
built_in_place() {
	local file
	for file in modules.order minimal.o minimal.ko .minimal.o.cmd; do
		echo garbage >"$tmp/samples/minimal/$file"
	done
	of "$flavour" minimal 2>&1 | grep "built build/.*/m/minimal/minimal.ko" &&
		rm "$tmp"/samples/minimal/{modules.order,*.o,*.ko,.*.cmd}
}

# The same for the checkout.
checkout_built_in_place() {
	copy_checkout "$tmp/copy" &&
		echo garbage | tee "$tmp/copy/modules.order" >"$tmp/copy/jit_tasklet.o" &&
		make -C "$tmp/copy" KERNEL="$flavour" >"$tmp/said" 2>&1 &&
		[ -e "$tmp/copy/build/$flavour/jitasklet.ko" ] && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# bad NAME: a module in C, whose init is on standard input.
bad() {
	mkdir -p "$tmp/samples/$1"
	echo "obj-m := $1.o" >"$tmp/samples/$1/Makefile"
	{
		printf '#include <linux/%s.h>\n' module slab
		echo 'static int __init start(void)'
		cat
		echo 'static void __exit stop(void) { }'
		echo 'module_init(start); module_exit(stop);'
		echo 'MODULE_DESCRIPTION("bad"); MODULE_LICENSE("GPL");'
	} >"$tmp/samples/$1/$1.c"
}

warns() {
	bad warns <<<'{ WARN_ON(1); return 0; }'
	fails_with 'the guest.s kernel reported a problem' of "$flavour" warns demo
}

# Of its own two results one is counted; the third says that there should be three.
fails_a_test() {
	printf '%s\n' 'echo 1..3' 'echo ok 1 good' 'echo not ok 2 bad' >"$tmp/samples/mixed/bad.sh"
	fails_with '^1 passed, 2 failed$' of "$flavour" mixed check TEST=bad.sh
}

leaks_memory() {
	bad leaks <<<'{ return kmalloc(100, GFP_KERNEL) ? 0 : -ENOMEM; }'
	fails_with 'not ok 3 nothing is leaked' of "$flavour" leaks check
}

no_kbuild() {
	mkdir -p "$tmp/samples/empty"
	fails_with 'has neither a Kbuild nor a Makefile' of "$flavour" empty || return
	: >"$tmp/samples/empty/Kbuild"
	fails_with 'builds no module' of "$flavour" empty
}

not_below() {
	fails_with 'there is no such file' of "$flavour" minimal check TEST=none.sh &&
		fails_with 'is not in' of "$flavour" minimal check TEST=../mixed/test.sh
}

other_commands() {
	fails_with 'M= goes with these only' of "$flavour" minimal lint
}

copy_samples || exit
plan $((3 * ${#kernels[@]} + 9 + $([ "$flavour" = debug ] && echo 1 || echo 0)))
for kernel in "${kernels[@]}"; do
	check "$kernel: a minimal module" passes 2 "$kernel" minimal
	check "$kernel: a driver with tasklet_wrap.rs" passes 3 "$kernel" tasklet
	check "$kernel: a module of several files, in Rust and C" passes 3 "$kernel" mixed
done
check 'the demo shows what the kernel says when it is loaded and unloaded' shows_its_log
check 'the shell has it loaded, and its files' lives_in_the_shell
check 'a module that was built in place is built anew' built_in_place
check 'so is jitasklet' checkout_built_in_place
check 'a module whose kernel warns is a failure' warns
check 'a failed test and one too few are failures' fails_a_test
[ "$flavour" != debug ] || check 'a module that leaks is a failure' leaks_memory
check 'a directory that builds nothing is refused' no_kbuild
check 'a test that is not in the directory is refused' not_below
check 'other commands refuse M=' other_commands
end
