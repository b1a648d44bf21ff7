#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# helpers.sh OUT: C's inlines are inlined into the module if clang and rustc have the same LLVM.
# Otherwise the helpers are an object file, and the module passes the same tests. See Kbuild.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/scripts/debian.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
inline=build/${out##*/}
objects=$inline/objects

in_root() {
	"$top/scripts/enter.sh" "$out/tree" "$@"
}

# The helpers among the symbols of a module.
helpers_in() {
	in_root "$triplet-nm" "/jitasklet/$1" | grep -F ' rust_helper_'
}

called() {
	helpers_in "$1" | grep -q ' T rust_helper_tasklet_schedule$'
}

none_called() {
	! helpers_in "$inline/jitasklet.ko" | sed 's/^/# /' | grep .
}

disassembled() {
	in_root "$triplet-objdump" -dr --no-show-raw-insn "/jitasklet/$inline/jitasklet.ko"
}

# As in C, only the caller that sets the bit queues the tasklet. There are two such places in a
# read, and two in a callback.
locked() {
	disassembled | awk '
	/^[0-9a-f]+ </ { locked = 0 }
	/lock bts/ { locked = 1 }
	/\t__tasklet_(hi_)?schedule/ { n++; if (!locked) { print "# " $0; bad = 1 } }
	END { exit bad || n < 4 }'
}

# clang may not use the segment, because the headers were configured for gcc. See helpers/clang.h.
per_cpu() {
	disassembled | awk '
	/R_X86_64.*\t(__preempt_count|cpu_number|(const_)?current_task)(-|$)/ {
		n++
		if (code !~ /%gs:/) { print "# " code; bad = 1 }
	}
	{ code = $0 }
	END { exit bad || !n }'
}

build_without() {
	in_root sh -euc '
		cd /jitasklet
		mkdir "$TMPDIR/bin"
		ln -s /usr/bin/* "$TMPDIR/bin"
		rm "$TMPDIR/bin/$1"
		PATH=$TMPDIR/bin
		scripts/buildroot/kbuild.sh . "$2" -s modules
		scripts/buildroot/kbuild.sh . "$2/tests/kernel" -s JITASKLET_TEST=m modules' sh \
		"$1" "$objects" && called "$objects/jitasklet.ko"
}

# As if rustc had another LLVM.
other_llvm() {
	in_root sh -euc 'cd /jitasklet && scripts/buildroot/kbuild.sh . "$1/other" -s \
		CONFIG_RUSTC_LLVM_VERSION=170006 modules' sh "$objects" &&
		called "$objects/other/jitasklet.ko"
}

# Runs suites with the module that calls the helpers.
suites() {
	local status=0
	cp "$out/tests"/{reader,clash.ko} "$top/$objects/tests/" || return
	"$top/scripts/guest.sh" "$out" objects 1800 \
		bash tests/guest/suites.sh "$objects" kernel files >"$top/$objects/suites" ||
		status=$?
	[ "$status" -eq 0 ] || grep -A 3 -B 10 '^not ok' "$top/$objects/suites"
	echo "# $(grep -c '^ok' "$top/$objects/suites") results"
	return "$status"
}

plan 8
rm -rf --one-file-system "${top:?}/$objects"
check 'no helper is called' none_called
check 'a locked instruction decides which caller schedules' locked
check 'per-CPU variables are reached through their segment' per_cpu
check 'without llvm-link the helpers are an object' build_without llvm-link
check 'without clang the helpers are an object' build_without clang
check 'with another LLVM the helpers are an object' other_llvm
check 'the suites pass with that module' suites
check 'gcc and clang lay structures out alike' in_root /jitasklet/tests/buildroot/layouts.sh \
	"/jitasklet/$inline" "/jitasklet/$objects"
end
