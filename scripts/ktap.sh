#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ktap.sh NAME FILE: counts the KTAP results of one suite, and prints "PASSED FAILED SKIPPED". If
# the plan is not fulfilled to the letter, or the end marker is missing, that is one failure more.

set -euo pipefail

awk -v name="$1" '
{ sub(/\r$/, "") }
/^1\.\.[0-9]+$/ && !planned { planned = substr($0, 4) + 0; next }
/^(not )?ok [0-9]+/ {
	seen++
	number = $1 == "ok" ? $2 : $3
	if (number != seen)
		why = why " result " seen " has the number " number ";"
	if (/^not ok/) {
		failed++
		print "    " name ": " $0 >"/dev/stderr"
	} else if (/# SKIP/) {
		skipped++
		print "    " name ": " $0 >"/dev/stderr"
	} else {
		passed++
	}
}
/^# end of suite$/ { ended = 1 }
END {
	if (!planned)
		why = why " it has no plan;"
	else if (seen != planned)
		why = why " it planned " planned " results and gave " seen + 0 ";"
	if (!ended)
		why = why " its end marker is missing;"
	if (why != "") {
		failed++
		print "    " name ": not ok: cut off:" why >"/dev/stderr"
	}
	print passed + 0, failed + 0, skipped + 0
}' "$2"
