#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh: rustfmt, clippy as the kernel sets it, checkpatch, shellcheck and flake8, reported as
# KTAP.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/tests/ktap.sh"

tree=$("$top/scripts/kernel-tree.sh" cloud) || exit

in_root() {
	"$top/scripts/enter.sh" --layer check "$tree" "$@"
}

files() {
	(cd "$top" && git ls-files --cached --others --exclude-standard "$@")
}

checkpatch() {
	in_root /jitasklet/scripts/buildroot/checkpatch.sh "$@"
}

rustfmt() {
	# A driver in samples/ is complete only with files that are copied.
	# shellcheck disable=SC2046
	in_root rustfmt --check --edition 2021 --config-path /kernel/source \
		--config skip_children=true \
		$(files '*.rs' | sed 's,^,/jitasklet/,')
}

clippy() {
	in_root /jitasklet/scripts/buildroot/kbuild.sh . build/clippy -s CLIPPY=1 \
		KRUSTFLAGS=-Dwarnings JITASKLET_TEST=m JITASKLET_BENCH=m \
		jit_tasklet.o tests/kernel/jitasklet_test.o \
		tests/unload/unload_test.o bench/bench_rust.o
}

shellcheck() {
	# shellcheck disable=SC2046
	in_root sh -euc 'cd /jitasklet; shellcheck "$@"' sh \
		$(files '*.sh' .ci/run)
}

clippy_model() {
	in_root /jitasklet/scripts/buildroot/cargo.sh build/clippy-model clippy -- -Dwarnings
}

# What is an error, or is not used. How it looks is not asked for.
flake8() {
	# shellcheck disable=SC2046
	in_root flake8 --select=E7,E9,F \
		$(files '*.py' | sed 's,^,/jitasklet/,')
}

# shellcheck disable=SC2046
usages() {
	in_root /jitasklet/tests/buildroot/usage.sh $(files '*.sh')
}

spdx() {
	local file bad=0
	for file in $(files '*.rs' '*.c' '*.h' '*.sh' '*.py' '*Makefile' '*Kbuild' .ci/run); do
		head -n 3 "$top/$file" | grep -q 'License-Identifier: GPL-2.0' ||
			{ echo "# $file has no SPDX line"; bad=1; }
	done
	return "$bad"
}

plan 9
check 'rustfmt' rustfmt
check 'clippy' clippy
check 'clippy: the model' clippy_model
check 'flake8' flake8
# shellcheck disable=SC2046
check 'checkpatch: C' checkpatch $(files '*.c' '*.h')
# shellcheck disable=SC2046
check 'checkpatch: shell' checkpatch $(files '*.sh')
check 'shellcheck' shellcheck
check 'every script says how it is called' usages
check 'every source file has its SPDX line' spdx
end
