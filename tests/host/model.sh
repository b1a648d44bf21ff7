#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# model.sh OUT: the protocol that the wrapper stands on, explored by loom. A scenario passes if all
# properties hold in all interleavings. A defect, which is an ordering weakened or a step left out,
# passes if the property goes red that it is to turn red, and no other. See docs/model.md.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

tree=$(realpath "$1")/tree
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cargo_in_root() {
	"$top/scripts/enter.sh" --layer check "$tree" "$@"
}

# Builds the model once and runs it once for each result. In the end there is what each run said, in
# SCENARIO or SCENARIO,DEFECT. Cargo wants to write next to what it builds, hence the copy; what it
# makes of that stays in build/model.
explore() {
	cargo_in_root sh -euc '
		cp -rp /jitasklet/tests/model /tmp/model
		cd /tmp/model
		CARGO_TARGET_DIR=/jitasklet/build/model cargo build --release --offline --quiet \
			--config "source.crates-io.replace-with=\"debian\"" \
			--config "source.debian.directory=\"/usr/share/cargo/registry\"" >&2
		model=/jitasklet/build/model/release/model

		mkdir /tmp/out
		cd /tmp/out
		for list in properties scenarios mutants; do
			"$model" "$list" >"$list"
		done
		{
			cut -d " " -f 1 scenarios
			awk "{ print \$2 \",\" \$1 }" mutants
		} >runs
		xargs -P "$(nproc)" -n 1 sh -c "
			timeout 1800 $model run \$(echo \"\$1\" | tr , \" \") >\"\$1\" 2>&1 ||
				echo \"exit status \$?\" >>\"\$1\"" sh <runs
		tar -c .' | tar -x -C "$tmp"
}

# The first line of a run: 'green INTERLEAVINGS SECONDS', 'red PROPERTY INTERLEAVINGS', or neither.
holds() {
	local verdict interleavings seconds
	read -r verdict interleavings seconds <"$tmp/$1"
	if [ "$verdict" != green ]; then
		sed 's/^/# /' "$tmp/$1"
		return 1
	fi
	echo "# $1: $interleavings interleavings, all of them, in $seconds s"
}

# turns_red SCENARIO DEFECT PROPERTY
turns_red() {
	local verdict property interleavings
	read -r verdict property interleavings <"$tmp/$1,$2"
	if [ "$verdict $property" != "red $3" ]; then
		sed 's/^/# /' "$tmp/$1,$2"
		return 1
	fi
	echo "# $1: red in interleaving $interleavings"
}

# No property holds merely because nothing could break it.
all_turn_red() {
	local property missing=0
	while read -r property; do
		grep -qs "^red $property " "$tmp"/*,* ||
			{ echo "# no defect turns $property red"; missing=1; }
	done <"$tmp/properties"
	return "$missing"
}

explore || die "the model could not be built or run."

plan $(($(cat "$tmp/scenarios" "$tmp/mutants" | wc -l) + 1))
while read -r name threads what; do
	t "all properties hold: $what ($name, $threads threads)" holds "$name"
done <"$tmp/scenarios"
while read -r defect scenario property what; do
	t "$property goes red: $defect, $what ($scenario)" \
		turns_red "$scenario" "$defect" "$property"
done <"$tmp/mutants"
t 'every property goes red for some defect' all_turn_red
end
