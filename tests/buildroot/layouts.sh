#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# layouts.sh INLINE OBJECTS: compares where gcc and clang put the members of the kernel's
# structures, for all that the helpers and the kernel's own helpers see. INLINE and OBJECTS are
# build directories of the module, one with the helpers inlined and one with them as an object: each
# has the flags of its compiler. Runs in the build root.

set -euo pipefail

: "${2?"usage: layouts.sh INLINE OBJECTS"}"

tmp=$(mktemp -d)

# members COMMAND-FILE TARGET SOURCE: where the members are if SOURCE is compiled as TARGET was, in
# lines of STRUCTURE.MEMBER OFFSET SIZE. Members without a name have none here; theirs have.
members() {
	local command source=$3
	command=$(sed -n "s,^savedcmd_$2 := ,,p" "$1")
	command=${command% -o *}
	command=${command//-emit-llvm/}
	command=${command//-g0/-g -fstandalone-debug}
	(cd "${1%/helpers/*}" && eval "$command -Wp,-MD,$tmp/d -g -w -o $tmp/o $source")
	pahole "$tmp/o" | awk '
	/^(struct|union) [A-Za-z_0-9]+ \{$/ { type = $1 " " $2; next }
	/^}/ { type = "" }
	type == "" || !match($0, /\/\* *[0-9]+(: *[0-9]+)? +[0-9]+ \*\//) { next }
	{
		at = substr($0, RSTART + 2, RLENGTH - 4)
		gsub(/ +/, " ", at)
		sub(/ *(__attribute__.*|;).*/, "")
		if (match($0, /\(\*+ *[A-Za-z_0-9]+/))
			$0 = substr($0, RSTART, RLENGTH)
		sub(/[:\[].*/, "")
		if (!/}$/ && !/^\t+(struct|union) [a-z_0-9]+$/) {
			sub(/ +$/, "")
			sub(/.*[ \t*}]/, "")
			print type "." $0 at
		}
	}'
}

for source in /jitasklet/helpers/helpers.c /kernel/source/rust/helpers/helpers.c; do
	members "$2/helpers/.helpers.o.cmd" helpers/helpers.o "$source"
done | sort -u >"$tmp/gcc"
for source in /jitasklet/helpers/helpers.c /kernel/source/rust/helpers/helpers.c; do
	members "$1/helpers/.helpers.bc.cmd" helpers/helpers.bc "$source"
done | sort -u >"$tmp/clang"

# Those that both describe: each leaves out what is not used. clang's description has more.
types() {
	cut -d . -f 1 "$1" | sort -u
}
join -t . <(types "$tmp/gcc") <(types "$tmp/clang") >"$tmp/types"
join -t . "$tmp/types" "$tmp/gcc" | sort >"$tmp/both"
echo "# $(wc -l <"$tmp/both") members of $(wc -l <"$tmp/types") structures"
grep -q '^struct tasklet_struct$' "$tmp/types"
sort "$tmp/clang" | comm -23 "$tmp/both" - | sed 's/^/# only gcc has /' >"$tmp/different"
cat "$tmp/different"
[ ! -s "$tmp/different" ]
