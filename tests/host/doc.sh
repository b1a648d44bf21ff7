#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doc.sh OUT: the documentation renders without a warning, and its examples compile; the pages name
# only things that exist, and the output that they show has today's form. Its figures are not
# checked.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

out=$(realpath "${1?"usage: doc.sh OUT"}")
cd "$top" || exit
mapfile -t pages < <(git ls-files '*.md')

# same WANT IS: fails, and prints the difference, if the two texts differ.
same() {
	local differ
	differ=$(diff <(echo "$1") <(echo "$2") | grep '^[<>]')
	[ -z "$differ" ] || { sed 's/^</# wanted:/; s/^>/# the page:/' <<<"$differ"; return 1; }
}

# Each line of the demo is a row of a table, or is in the code that prints it.
demo_form() {
	local block line row='^ *[0-9]+ +[0-9]+     [01]    [ 0-9]{5}[0-9]   [0-9]+   .+$'
	block=$(scripts/figures.sh README.md demo | grep -v '^```$' | grep .)
	[ "$(grep -cE "$row" <<<"$block")" = 12 ] || { echo '# there are no two tables'; return 1; }
	while IFS= read -r line; do
		[ "${line#$ cat /proc/}" != jitasklet ] || continue
		git grep -qF -- "$line" -- '*.rs' '*.py' '*.sh' ||
			{ echo "# nothing prints: $line"; return 1; }
	done < <(grep -vE "$row" <<<"$block")
}

# The page has rows of each kind, with the names, the units and the targets of results.awk.
bench_form() {
	local zeros='BEGIN { for (id in name_) count[id " rust"] = count[id " c"] = 1 }' page table
	page=$(scripts/figures.sh docs/performance.md bench | sed -n '/^name/,/^```/p' |
		grep -v '^```' | cut -c 1-60,100-107)
	table=$(awk -v lenient=1 -f bench/results.awk -f <(echo "$zeros") </dev/null |
		sed '/^$/,$d' | cut -c 1-60,100-107)
	same "$(grep -xF "$page" <<<"$table")" "$page" &&
		same "$(cut -c 1-3 <<<"$table" | uniq)" "$(cut -c 1-3 <<<"$page" | uniq)"
}

# The table in docs/model.md, from the source.
scenarios() {
	local row='^ +(name|threads|preemptions|what): (Some\()?"?([^")]*)[")]*,$'
	same "$(sed -nE "s/$row/\1 \3/p" tests/model/src/scenarios.rs | awk '
		{ key = $1; sub(/^[a-z]+ /, ""); of[key] = $0 }
		key == "what" {
			print "| `" of["name"] "` | " of["threads"] " | " \
				(of["preemptions"] == "None" ? "" : of["preemptions"]) " | " $0 " |"
		}' | sort)" \
		"$(sed -n '/^| scenario /,/^$/p' docs/model.md | sed 1,2d | grep . | sort)"
}

# 'make prepare' is a command of the kernel's Makefile.
commands_exist() {
	local name missing=0
	while read -r name; do
		grep -qE "^$name:" Makefile || [ "$name" = prepare ] ||
			{ echo "# there is no 'make $name'"; missing=1; }
	done < <(grep -ohE '(`|^|sudo )make [a-z_-]+' "${pages[@]}" | sed 's/.*make //')
	return "$missing"
}

# Files of this repository or of the kernel's source in the build directory. Pages may leave out
# directories.
files_exist() {
	local name files missing=0
	files=$(git ls-files --cached --others --exclude-standard && cd "$out/tree/source" &&
		find . -type f) || return
	for name in $(grep -ohE '`[A-Za-z0-9_./-]+\.(rs|c|h|sh|py|awk|md|patch)`' "${pages[@]}" |
		tr -d '`' | grep -v '^tools/' | sort -u); do
		grep -qE "(^|/)${name//./[.]}$" <<<"$files" ||
			{ echo "# there is no $name"; missing=1; }
	done
	return "$missing"
}

# The tests that tests/README.md names for claims: functions, and pairs of compile-fail/.
tests_exist() {
	local name missing=0
	for name in $(awk -F '|' 'NF > 3 && /\*[kc]:\*/ { print $(NF - 1) }' tests/README.md |
		grep -oE '`[a-z0-9]+[a-z0-9_.-]*`' | tr -d '`' | grep '[_-]'); do
		if [[ $name = *_* ]]; then
			grep -rqE "\b${name//.../[a-z0-9_]*}\b" tests/kernel tests/unload
		else
			compgen -G "tests/compile-fail/${name//.../*}.rs" >/dev/null
		fi || { echo "# there is no test $name"; missing=1; }
	done
	return "$missing"
}

plan 7
check 'rustdoc and the examples' scripts/doc.sh "$out"
check 'README.md shows what the demo prints' demo_form
check 'docs/performance.md shows what the benchmarks print' bench_form
check 'docs/model.md lists the scenarios of the model' scenarios
check 'pages name commands that exist' commands_exist
check 'pages name files that exist' files_exist
check 'tests/README.md names tests that exist' tests_exist
end
