#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# watch.sh [-n COUNT] [-i SECONDS] [FILE]: reads a table again and again, and marks the changes
# since the previous read: in inverse video, or with a * if the terminal cannot do that or NO_COLOR
# is set. Without a terminal it prints plain tables, three by default. FILE is /proc/jitasklet by
# default. Ctrl-C ends it.

set -euo pipefail

count=0 seconds=1 screen=
usage() {
	echo 'usage: watch.sh [-n COUNT] [-i SECONDS] [FILE]' >&2
	exit 2
}
while getopts n:i: option; do
	case $option in
	n) count=$OPTARG ;;
	i) seconds=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[[ $# -le 1 && $count =~ ^[0-9]+$ && $seconds =~ ^[0-9]*\.?[0-9]+$ ]] || usage
file=${1-/proc/jitasklet}
[ -r "$file" ] || {
	echo "watch.sh: $file cannot be read: is the module loaded?" >&2
	exit 1
}

on='*' off='' clear=''
if [ -t 1 ]; then
	if [ "${TERM-dumb}" != dumb ]; then
		screen=$'\e[H' clear=$'\e[K'
		[ -n "${NO_COLOR-}" ] || on=$'\e[7m' off=$'\e[m'
		trap 'printf "\e[?25h\n"' EXIT
		trap 'exit 0' INT TERM
		printf '\e[?25l\e[2J'
	fi
elif [ "$count" = 0 ]; then
	count=3
fi

# marked TABLE BEFORE: prints the table with its changed words marked.
marked() {
	awk -v before="$2" -v on="$on" -v off="$off" -v clear="$clear" '
	BEGIN { known = split(before, line, "\n") }
	{
		split(line[NR], was)
		rest = $0
		out = ""
		for (i = 1; match(rest, /[^ ]+/); i++) {
			word = substr(rest, RSTART, RLENGTH)
			gap = substr(rest, 1, RSTART - 1)
			rest = substr(rest, RSTART + RLENGTH)
			if (known && was[i] != word) {
				# The star replaces a blank, so that the columns stay aligned.
				if (off == "")
					gap = substr(gap, 2)
				word = on word off
			}
			out = out gap word
		}
		print out rest clear
	}' <<<"$1"
}

before=
for ((n = 1; ; n++)); do
	table=$(<"$file")
	if [ -t 1 ]; then
		printf '%s%s, read %s\n' "$screen" "$file" "$n"
		marked "$table" "$before"
	else
		printf '%s\n' "$table"
	fi
	[ "$n" != "$count" ] || break
	[ -t 1 ] || echo
	before=$table
	sleep "$seconds"
done
