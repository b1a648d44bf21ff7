#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-symbols.sh BUILD SYMVERS: compares the Rust and helper symbols that the kernel tree BUILD
# exports with those in the Module.symvers that the distribution shipped, both ways, and prints how
# many they are.
#
# Rust mangles a hash of the compiler's version, the crate's source and its configuration into each
# symbol. So if the names are the same, the metadata in BUILD is that of the shipped kernel.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -eq 2 ] || usage

ours=$(sed -nE 's/^EXPORT_SYMBOL_RUST_GPL\((\w+)\);$/\1/p' "$1"/rust/exports_*_generated.h |
	sort -u)
shipped=$(awk -F '\t' '$3 == "vmlinux" { print $2 }' "$2" | sort -u)
shipped_rust=$(grep -E '^(_R|rust_)' <<<"$shipped" || true)

[ -n "$ours" ] || die "the kernel tree $1 exports no Rust symbols: its metadata was not made."
[ -n "$shipped_rust" ] || die "$2 has no Rust symbols: the kernel was built without CONFIG_RUST."

missing=$(comm -23 <(echo "$ours") <(echo "$shipped"))
extra=$(comm -13 <(echo "$ours") <(echo "$shipped_rust"))

# count TEXT: prints the number of symbols, and the first of them.
count() {
	echo "$(grep -c . <<<"$1"): $(head -n 3 <<<"$1" | xargs)"
}

if [ -n "$missing$extra" ]; then
	die "the regenerated Rust metadata is not that of the shipped kernel." \
		"Another compiler or another source made it." \
		"Only in the regenerated tree, $(count "$missing")" \
		"Only in the shipped kernel, $(count "$extra")"
fi
wc -l <<<"$ours"
say "Rust and helper symbols: all $(wc -l <<<"$ours") are those of the shipped kernel, both ways"
