#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# model.sh [--refresh] OUT: the protocol that the wrapper relies on, explored by loom. A
# scenario passes if all properties hold in all interleavings. A defect, which is an ordering
# weakened or a step left out, passes if it violates the property that is named for it.
# See docs/model.md.
#
# The model is a copy by hand. tests/model/copied has a hash of each function that it was
# copied from; --refresh writes the hashes anew and explores nothing.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
refresh=
[ "$1" != --refresh ] || { refresh=1; shift; }
tree=$(realpath "$1")/tree
copied=$top/tests/model/copied
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# hash_of FILE FUNCTION: of its code without comments and blanks. Rust is ours, C is the kernel's.
hash_of() {
	local dir=$tree/source code
	[ "${1%.rs}" = "$1" ] || dir=$top
	code=$(awk -v part="$2" -f "$top/tests/model/parts.awk" "$dir/$1" 2>/dev/null)
	if [ -n "$code" ]; then hash <<<"$code"; else echo missing; fi
}

refresh_copied() {
	local hash file function
	while read -r hash file function; do
		[ "$hash" = '#' ] || hash=$(hash_of "$file" "$function")
		echo "$hash $file $function"
	done <"$copied" >"$tmp/copied"
	! grep missing "$tmp/copied" ||
		die "a function of tests/model/copied no longer exists."
	cp "$tmp/copied" "$copied"
}

# is_as_copied PATTERN: the files whose names match have not changed since.
is_as_copied() {
	local hash now file function changed=0
	while read -r hash file function; do
		[[ $hash != '#' && $file =~ $1 ]] || continue
		now=$(hash_of "$file" "$function")
		[ "$now" != "$hash" ] || continue
		changed=1
		if [ "$now" = missing ]; then
			echo "# $file no longer has '$function', which the model is a copy of."
		else
			echo "# '$function' in $file has changed since the model was copied."
		fi
	done <"$copied"
	[ "$changed" = 0 ] ||
		echo "# Change tests/model/src, then give this script --refresh build/cloud."
	return "$changed"
}

# In the end there is what each run said, in SCENARIO or SCENARIO,DEFECT.
explore() {
	"$top/scripts/enter.sh" --layer check "$tree" /jitasklet/tests/buildroot/explore-model.sh |
		 tar -x -C "$tmp"
}

# The first line of a run: 'holds INTERLEAVINGS SECONDS', 'violated PROPERTY INTERLEAVINGS', or
# neither.
holds() {
	local verdict interleavings seconds
	read -r verdict interleavings seconds <"$tmp/$1"
	if [ "$verdict" != holds ]; then
		sed 's/^/# /' "$tmp/$1"
		return 1
	fi
	echo "# $1: $interleavings interleavings in $seconds s"
}

# violates SCENARIO DEFECT PROPERTY
violates() {
	local verdict property interleavings
	read -r verdict property interleavings <"$tmp/$1,$2"
	if [ "$verdict $property" != "violated $3" ]; then
		sed 's/^/# /' "$tmp/$1,$2"
		return 1
	fi
	echo "# $1: violated in interleaving $interleavings"
}

# No property holds merely because nothing could violate it.
each_is_violated() {
	local property missing=0
	while read -r property; do
		grep -qs "^violated $property " "$tmp"/*,* ||
			{ echo "# no defect violates $property"; missing=1; }
	done <"$tmp/properties"
	return "$missing"
}

if [ -n "$refresh" ]; then
	refresh_copied
	exit
fi

explore || die "the model could not be built or run."

plan $(($(cat "$tmp/scenarios" "$tmp/mutants" | wc -l) + 3))
check 'the wrapper is as it was copied into the model' is_as_copied '[.]rs$'
check 'the kernel is as it was copied into the model' is_as_copied '[.][ch]$'
while read -r name threads preemptions what; do
	[ "$preemptions" = all ] || threads+=" threads, $preemptions preemptions"
	[ "$preemptions" != all ] || threads+=" threads"
	check "all properties hold: $what ($name, $threads)" holds "$name"
done <"$tmp/scenarios"
while read -r defect scenario property what; do
	check "$property is violated by $defect: $what ($scenario)" \
		violates "$scenario" "$defect" "$property"
done <"$tmp/mutants"
check 'every property is violated by some defect' each_is_violated
end
