#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# runner.sh OUT: what has to find a defect finds it: the symbol check, the guest's runner and the
# counting of results are shown some each, and must turn red.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

out=$(realpath "$1")
release=${out##*/}
tree=$out/tree
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The symbol check, with one symbol more or less in what was shipped.
symbols() {
	"$top/scripts/check-symbols.sh" "$tree/build" "$1"
}

symbol_missing() {
	grep -v rust_helper_get_task_struct "$tree/build/Module.symvers" >"$tmp/symvers"
	red 'Only in the regenerated tree, 1: rust_helper_get_task_struct' symbols "$tmp/symvers"
}

symbol_extra() {
	{
		cat "$tree/build/Module.symvers"
		printf '0x00000000\t_RNvCother\tvmlinux\tEXPORT_SYMBOL_GPL\t\n'
	} >"$tmp/symvers"
	red 'Only in the shipped kernel, 1: _RNvCother' symbols "$tmp/symvers"
}

symbols_of_no_rust() {
	grep -vE '	(_R|rust_)' "$tree/build/Module.symvers" >"$tmp/symvers"
	red 'without CONFIG_RUST' symbols "$tmp/symvers"
}

# A guest, with so many seconds to finish.
guest() {
	"$top/scripts/guest.sh" "$out" broken "$@"
}

# The results, as they would be counted.
counts() {
	printf '%s\n' "${@:2}" >"$tmp/ktap"
	[ "$("$top/scripts/ktap.sh" shown "$tmp/ktap" 2>/dev/null)" = "$1" ]
}

# A virtiofsd that takes its time, in the place of the real one, for one run only.
virtiofsd_slow() {
	local root
	root=$("$top/scripts/buildroot.sh" path)
	mkdir -p "$tmp"/{upper/usr/libexec,work}
	printf '#!/bin/sh\n[ "$1" = --version ] || sleep 20\n' >"$tmp/upper/usr/libexec/virtiofsd"
	chmod +x "$tmp/upper/usr/libexec/virtiofsd"
	red 'virtiofsd was too slow three times' unshare --mount sh -euc '
		mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$1"
		shift 2
		exec "$@"' sh "$root" "$tmp" "$top/scripts/guest.sh" "$out" broken 60 true
}

plan 15
t 'the symbols are those of the shipped kernel' symbols "$tree/build/Module.symvers"
t 'a symbol that was not shipped is found' symbol_missing
t 'a symbol that was not regenerated is found' symbol_extra
t 'a kernel without Rust is found' symbols_of_no_rust
t 'a guest whose command fails is red' red 'command failed \(exit 3\)' guest 60 'exit 3'
t 'a guest that panics is red' red 'Kernel panic - not syncing: sysrq' guest 60 \
	'echo c >/proc/sysrq-trigger'
t 'a guest that hangs is red' red 'did not finish within 25 s' guest 25 'sleep 1000'
t 'a guest whose kernel complains is red' red 'WARNING.*proc_register' guest 60 \
	"insmod build/$release/jitasklet.ko && insmod build/$release/tests/clash.ko; true"
t 'a virtiofsd that does not start is named' virtiofsd_slow
t 'results are counted' counts '2 1 1' 1..4 'ok 1 a' 'not ok 2 b' 'ok 3 c # SKIP d' 'ok 4 e' \
	'# end of suite'
t 'a result too few is red' counts '1 1 0' 1..2 'ok 1 a' '# end of suite'
t 'a result too many is red' counts '2 1 0' 1..1 'ok 1 a' 'ok 2 b' '# end of suite'
t 'a result twice is red' counts '2 1 0' 1..2 'ok 1 a' 'ok 1 a' '# end of suite'
t 'a suite without its end is red' counts '1 1 0' 1..1 'ok 1 a'
t 'a suite without a plan is red' counts '1 1 0' 'ok 1 a' '# end of suite'
end
