#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-all.sh: runs suites of the guest on the kernels of all of Debian's suites, one kernel after
# another: cloud and rt in every version, generic of the first suite only. The default cloud and rt
# kernels run all suites of the guest, the others a few. Prints a table and a summary line.
#
# From the environment:
#     SUITES="NAME..."    only these suites of the guest
#     SUITE=...           only the kernels of this suite of Debian
#     KERNEL=...          only kernels of this flavour, or this release
#
# Results are in build/check-all/RELEASE/. A kernel that has passed is not tested again until it,
# its compilers or this checkout change, so that an interrupted run can be continued.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

[ $# -eq 0 ] || usage
asked=${SUITES-} kernel=${KERNEL-}
unset SUITES KERNEL
results=$top/build/check-all
mkdir -p "$results"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# The check that runs ends in its own way.
trap 'exit 130' INT TERM

# All that results depend on, but the kernel and its compilers: the path of its tree has these.
tracked=(-name '*.rs' -o -name '*.[ch]' -o -name '*.sh' -o -name '*.py'
	-o -name Kbuild -o -name config)
sources=$(cd "$top" &&
	find . \( -path ./build -o -name '.?*' -o -name '*.mod.c' \) -prune -o \
		-type f \( "${tracked[@]}" \) -print0 | sort -z | xargs -0 sha256sum | hash)

# one RELEASE SUITE GCC DEFAULT: checks a kernel, unless it has passed before.
one() {
	local release=$1 dir=$results/$1 names=${asked:-kernel files trace unload} tree key
	local began=$SECONDS symbols=- rustc=- passed failed skipped
	[ -n "$asked" ] || [ "$2 $4" != "${suites[0]} default" ] ||
		[ "$(flavour_of "$1")" = generic ] || names=''
	tree=$("$top/scripts/kernel-tree.sh" path "$release")
	key="$sources ${tree##*/} $names"
	if [ "$(cat "$dir/passed" 2>/dev/null)" = "$key" ]; then
		say "$release has passed before"
		return
	fi
	say "checking $release ..."
	mkdir -p "$dir"
	if ! SUITES=$names "$top/scripts/check.sh" "check-all/$release" >"$tmp/log" 2>&1 </dev/null
	then
		tail -n 40 "$tmp/log" >&2
	fi
	mv "$tmp/log" "$dir/log"
	if [ -d "$tree" ]; then
		symbols=$(<"$tree/symbols")
		rustc=$(sed -nE 's/^CONFIG_RUSTC_VERSION_TEXT="rustc ([^ ]*).*/\1/p' \
			"$tree/build/.config")
	fi
	read -r passed _ failed _ skipped _ <<<"$(tail -n 1 "$dir/log")"
	# A check that could not begin has no summary.
	[[ $failed = [0-9]* ]] || passed=0 failed=1
	echo "$release $2 ${3#gcc-} $rustc $symbols $passed $failed ${skipped:-0}" \
		"$((SECONDS - began)) s" >"$dir/row"
	[ "$failed" != 0 ] || echo "$key" >"$dir/passed"
}

# lacking SUITE FLAVOUR: a kernel that cannot be had today is a skip.
lacking() {
	local dir=$results/$1-$2
	sweep "$dir"
	mkdir -p "$dir"
	echo "$2 $1 - - - 0 0 1 -" >"$dir/row"
	printf '%s\n' '1..1' '# end of suite' \
		"ok 1 $2 of $1 # SKIP the archive lacks image, headers or source of it today" \
		>"$dir/log"
	"$top/scripts/results.sh" "$2-$1" archive "$dir/log" 0 '' "$dir/testsuite" >/dev/null
	printf '<testsuites>\n%s\n</testsuites>\n' "$(<"$dir/testsuite")" >"$dir/junit.xml"
}

"$top/scripts/kernels.sh" all >"$tmp/kernels"
rows=() reports=()
for debian in ${SUITE:-"${suites[@]}"}; do
	for flavour in cloud rt generic; do
		[ "$flavour" != generic ] || [ "$debian" = "${suites[0]}" ] || continue
		found=''
		while read -r its release _ _ _ in gcc default <&3; do
			[ "$its $in" = "$flavour $debian" ] || continue
			[ -z "$kernel" ] || [[ " $its $release " = *" $kernel "* ]] || continue
			found=1
			one "$release" "$in" "$gcc" "$default"
			rows+=("$results/$release/row") reports+=("$results/$release/junit.xml")
		done 3<"$tmp/kernels"
		[ -z "$found$kernel" ] || continue
		lacking "$debian" "$flavour"
		rows+=("$results/$debian-$flavour/row")
		reports+=("$results/$debian-$flavour/junit.xml")
	done
done

[ "${#rows[@]}" -gt 0 ] ||
	die "KERNEL=$kernel: there is nothing to check." \
		"'make kernels' lists what there is." \
		"Of generic kernels, only those of ${suites[0]} are checked."
{
	printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' '<testsuites>'
	cat "${reports[@]}" 2>/dev/null | sed '/^<?xml/d; /^<.*testsuites>$/d'
	echo '</testsuites>'
} >"$results/junit.xml"

row='{
	printf "%-29s %-17s %-4s %-7s %8s %7s %7s", $1, $2, $3, $4, $5, $6, $7
	printf " %8s %6s %s\n", $8, $9, $10
}'
echo
echo 'kernel Debian gcc rustc symbols passed failed skipped' | awk "$row"
awk "$row" "${rows[@]}"
echo
read -r passed failed skipped <<<"$(awk '{ p += $6; f += $7; s += $8 } END { print p, f, s }' \
	"${rows[@]}")"
summary "$passed" "$failed" "$skipped"
