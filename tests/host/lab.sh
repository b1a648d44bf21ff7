#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lab.sh: the exercises of docs/lab.md without and with their solutions, and the viewer.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-lab.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# A copy of the checkout, with the solutions applied.
solved() {
	mkdir "$tmp/solved"
	(cd "$top" && git ls-files -z --cached --others --exclude-standard |
		tar --null --files-from=- -c) | tar -x -C "$tmp/solved"
	cd "$tmp/solved" && git apply lab/teacher/*.patch
}

# watched WANT COMMAND...: a table that changes after the first look.
watched() {
	local want=$1 said line
	shift
	printf ' a  b\n 1  2\n' >"$tmp/table"
	said=$("$@" | while IFS= read -r line; do
		line=${line%$'\r'}
		printf '%s\n' "$line"
		[ "$line" != ' 1  2' ] || printf ' a  b\n 1 13\n' >"$tmp/table"
	done)
	[ "$said" = "$want" ] || { echo "# it said: $said"; return 1; }
}

watch() {
	"$top/scripts/watch.sh" -n 2 -i 2 "$tmp/table"
}

# In a terminal without capabilities.
watch_terminal() {
	TERM=dumb script -qec "'$top/scripts/watch.sh' -n 2 -i 2 '$tmp/table'" /dev/null
}

# Its output would look like results of this suite.
lab_check() {
	make -C "$1" lab-check | sed 's/^/# /'
}

plan 5
t 'without any exercise, lab-check says so' red 'No exercise is done yet' make -C "$top" lab-check
t 'the solutions apply' solved
t 'with them, lab-check passes' lab_check "$tmp/solved"
t 'watch.sh in a pipe prints plain tables' \
	watched $' a  b\n 1  2\n\n a  b\n 1 13' watch
t 'watch.sh marks what has changed' watched "$tmp/table, read 1
 a  b
 1  2
$tmp/table, read 2
 a  b
 1*13" watch_terminal
end
