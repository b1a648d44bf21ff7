#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lint.sh: rustfmt, clippy as the kernel sets it, checkpatch, shellcheck, flake8, and the schemas of
# CI files, reported as KTAP.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"
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
		jit_tasklet.o samples/jit_edu.o tests/kernel/jitasklet_test.o \
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

# Debian has check-jsonschema, with the schemas, in a suite that is newer than the root's. It is in
# Python only, so one package of that suite does.
get_checker() {
	local conf
	conf=$("$top/scripts/archive.sh" "${suites[1]}") && cd "$1" &&
		APT_CONFIG=$conf apt-get download python3-check-jsonschema && dpkg-deb -x ./*.deb .
}

schemas() {
	local checker=$cache/root-check-jsonschema packages=usr/lib/python3/dist-packages
	if [ ! -d "$checker" ]; then
		lock root-check-jsonschema
		sweep "$checker.part"
		mkdir -p "$checker.part"
		logged check-jsonschema 'getting the schemas of CI files' \
			get_checker "$checker.part" || return
		mv -T "$checker.part" "$checker"
	fi
	mkdir -p "$top/build/lint"
	cp -rT "$checker/$packages" "$top/build/lint"
	"$top/scripts/enter.sh" --layer schema "$tree" /jitasklet/tests/buildroot/schemas.sh \
		/jitasklet/build/lint
}

spdx() {
	local file bad=0
	for file in $(files '*.rs' '*.c' '*.h' '*.sh' '*.py' '*Makefile' '*Kbuild' '*.yml' \
		.ci/run); do
		head -n 3 "$top/$file" | grep -q 'License-Identifier: GPL-2.0' ||
			{ echo "# $file has no SPDX line"; bad=1; }
	done
	return "$bad"
}

plan 10
check 'rustfmt' rustfmt
check 'clippy' clippy
check 'clippy: the model' clippy_model
check 'flake8' flake8
# shellcheck disable=SC2046
check 'checkpatch: C' checkpatch $(files '*.c' '*.h')
# shellcheck disable=SC2046
check 'checkpatch: shell' checkpatch $(files '*.sh')
check 'shellcheck' shellcheck
check 'the CI files match their schemas' schemas
check 'every script says how it is called' usages
check 'every source file has its SPDX line' spdx
end
