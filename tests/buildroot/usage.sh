#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage.sh FILE...: scripts of the checkout that need arguments, by their first lines, say how they
# are called if they get none. Runs in the build root, where nothing is there to be harmed.

set -euo pipefail

: "${1?"usage: usage.sh FILE..."}"
cd /jitasklet
failed=0
for file; do
	name=${file##*/}
	# What is not in brackets, of "# NAME ARGUMENT... [ARGUMENT...]:".
	called=$(awk -v name="$name" '
		/^$/ || $2 == name ":" { exit }
		$1 == "#" && $2 == name { found = 1 }
		found { sub(/^# /, ""); text = text " " $0 }
		found && /:( |$)/ { exit }
		END {
			sub(/:( .*|$)/, "", text)
			gsub(/\[[^\]]*\]/, "", text)
			print text
		}' "$file")
	read -ra words <<<"$called"
	[ ${#words[@]} -gt 1 ] || continue
	status=0
	said=$(timeout 60 bash "$file" 2>&1 </dev/null) || status=$?
	if [ "$status" -eq 0 ] ||
		[[ $said != *"$name ${words[1]}"* && $said != *"$name ["* ]]; then
		echo "# $file, without arguments, ends with $status and says: $said"
		failed=1
	fi
done
exit "$failed"
