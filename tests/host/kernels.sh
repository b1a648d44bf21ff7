#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernels.sh OUT: the kernels of Debian's suites: how one is chosen, compilers that no longer fit,
# what check-all tests again, and what prune removes from the cache.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/scripts/debian.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
read -r release flavour <"$out/tree/release"
read -r suite _ <"$out/tree/compilers"
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-kernels.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# By the suite, and by the release in whatever suite.
found() {
	local resolve=("$top/scripts/kernels.sh" resolve) by_suite its
	by_suite=$(SUITE=$suite "${resolve[@]}" "$flavour") && read -r _ its _ <<<"$by_suite" &&
		[ "$("${resolve[@]}" "$its")" = "$by_suite" ]
}

# The archive lacks a suite that is not the default: the others are listed, and it is named.
another_suite() {
	local said
	copy_checkout "$tmp/other"
	sed -i 's/^suites=.*/suites=(trixie-backports buzz)/' "$tmp/other/scripts/debian.sh"
	said=$(JIT_CACHE=$tmp/lists make -C "$tmp/other" kernels 2>&1) &&
		grep ' default$' <<<"$said" &&
		grep 'the kernels of buzz are unknown' <<<"$said" &&
		[ "$(find "$tmp/lists" -name 'kernels-*' | wc -l)" = 1 ] && return
	echo "# ${said//$'\n'/$'\n'# }"
	return 1
}

# metadata.sh stops, says what was wanted, and the host what to do.
compilers_of_another_day() {
	local log=$tmp/metadata.log
	mkdir -p "$tmp/tree/build"
	ln -s "$(realpath "$out/tree/source")" "$tmp/tree/source"
	cp "$out/tree/compilers" "$tmp/tree"
	sed 's/^CONFIG_RUSTC_VERSION=.*/CONFIG_RUSTC_VERSION=100203/
		s/^CONFIG_RUSTC_VERSION_TEXT=.*/CONFIG_RUSTC_VERSION_TEXT="rustc 1.2.3"/' \
		"$out/tree/build/.config" >"$tmp/tree/build/.config"
	! "$top/scripts/enter.sh" --rw "$tmp/tree" \
		/jitasklet/scripts/buildroot/metadata.sh "$release" >"$log" 2>&1 &&
		grep -x '    rustc 1\.2\.3' "$log" &&
		mend "$log" | grep 'no longer those of this kernel'
}

# says PATTERN: check-all on this kernel, in a copy of the checkout, prints PATTERN.
says() {
	SUITE=$suite KERNEL=$release SUITES=files make -C "$tmp/copy" check-all \
		>"$tmp/said" 2>&1
	grep -E "$1" "$tmp/said" && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

only_once() {
	copy_checkout "$tmp/copy"
	says "^${release//+/.} +$suite .* 0 +[0-9]+ s$" && says 'has passed before$' || return
	echo >>"$tmp/copy/tests/guest/files.sh"
	says 'checking .* \.\.\.$'
}

other_kernel() {
	local its=$tmp/copy/build/$release
	ln -sfn /nowhere "$its/tree"
	: >"$its/stale"
	make -C "$tmp/copy" KERNEL="$release" && [ -e "$its/jitasklet.ko" ] && [ ! -e "$its/stale" ]
}

# A result that is not good is not kept.
again_if_failed() {
	sed -i 's/^end$/ktap_result "not ok" made-up; end/' "$tmp/copy/tests/guest/files.sh"
	says ' [1-9][0-9]* failed' && says 'checking .* \.\.\.$'
}

no_such_kernel() {
	local stub=$tmp/copy/scripts/kernels.sh
	printf '#!/bin/bash\n[ "$1" = all ]\n' >"$stub"
	for _ in once again; do
		SUITE=$suite make -C "$tmp/copy" check-all >"$tmp/said" 2>&1
		grep '^0 passed, 0 failed, [23] skipped$' "$tmp/said" || return
	done
	grep -c 'testcase.* name="cloud of' "$tmp/copy/build/check-all/junit.xml" | grep -x 1
}

# In a cache of its own, which only the lists are copied to.
pruned() {
	local tree root
	mkdir "$tmp/cache" && (lock apt && cp -a "$cache/apt" "$tmp/cache") || return
	tree=$tmp/cache/$(basename "$("$top/scripts/kernel-tree.sh" path cloud)")
	root=$tmp/cache/$(basename "$("$top/scripts/root.sh" guest path)")
	mkdir -p "$tree" "$root" "$tmp"/cache/{source-kept,{apt,source,root-build,kernel}-old}
	ln -s ../source-kept "$tree/source"
	: >"$tmp/cache/kernel-old.lock"
	JIT_CACHE=$tmp/cache make -C "$top" prune &&
		[ -d "$tree" ] && [ -d "$root" ] && [ -d "$tmp/cache/source-kept" ] &&
		[ -e "$tmp/cache/kernel-old.lock" ] && ! ls -d "$tmp"/cache/*-old
}

plan 9
check 'a kernel is found by its suite and by its release' found
check 'an unknown SUITE= is named' fails_with "SUITE=potato: there is no such suite.*" \
	env SUITE=potato make -C "$top" kernels
check 'a suite that the archive lacks is named, and the others are listed' another_suite
check 'compilers of another day are named' compilers_of_another_day
check 'check-all tests a kernel once, and again when a test has changed' only_once
check 'what was built for another kernel of the same release is removed' other_kernel
check 'check-all tests a kernel again if it failed' again_if_failed
check 'check-all skips, by name, what the archive lacks' no_such_kernel
check 'make prune removes only what the default kernels do not need' pruned
end
