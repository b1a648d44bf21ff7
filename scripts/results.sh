#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# results.sh KERNEL SUITE FILE [STATUS [LOG JUNIT]]: counts the KTAP results of one suite, and
# prints "PASSED FAILED SKIPPED SECONDS". On standard error it prints each failed test, with the
# suite's output about it and the name LOG. It appends the suite to the file JUNIT, as an element.
#
# It counts one more failure if the results do not match the plan exactly, if the end marker is
# missing, or if nothing failed but STATUS is not 0. Each line of FILE may begin with the time of
# its output in seconds, which check.sh adds.

set -euo pipefail

: "${3?"usage: results.sh KERNEL SUITE FILE [STATUS [LOG JUNIT]]"}"

# XML allows no control characters, and only valid UTF-8.
tr -d '\000-\010\013-\037' <"$3" | iconv -c -f UTF-8 -t UTF-8 |
	LC_ALL=C awk -v kernel="$1" -v suite="$2" -v status="${4:-0}" -v log_file="${5:-$3}" \
		-v junit="${6:-/dev/null}" '
function xml(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	gsub(/"/, "\\&quot;", text)
	return text
}

# Returns the output since the last result, from line FROM on, each line after INDENT.
function said(from, indent,    i, text) {
	for (i = from < 1 ? 1 : from; i <= lines; i++)
		text = text indent line[i] "\n"
	return text
}

# Adds an element, with a name that is unique in this suite.
function testcase(name, body) {
	if (used[name]++)
		name = name " (" used[name] ")"
	cases = cases sprintf("<testcase classname=\"%s\" name=\"%s\" time=\"%.3f\"", \
		xml(class), xml(name), now - since)
	cases = cases (body == "" ? "/>\n" : ">" body "</testcase>\n")
	since = now
	lines = 0
}

function failure(name, reason) {
	failed++
	printf "%s: %s: %s\n", kernel, suite, name >"/dev/stderr"
	if (reason != "")
		print "    " reason >"/dev/stderr"
	printf "%s    %s\n", said(lines - 11, "    "), log_file >"/dev/stderr"
	if (reason == "")
		reason = lines ? line[lines] : "it says nothing"
	testcase(name, "<failure message=\"" xml(reason) "\">" xml(said(1, "")) "</failure>")
}

BEGIN {
	# Viewers treat dots as separators of folders.
	class = kernel
	gsub(/\./, "_", class)
	class = class "." suite
}
NR == 1 && /^[0-9]+\.[0-9]+ / { stamped = 1; began = since = $1 }
stamped {
	now = $1
	sub(/^[0-9.]+ /, "")
}
/^1\.\.[0-9]+$/ && !planned { planned = substr($0, 4) + 0; lines = 0; next }
/^(not )?ok [0-9]+/ {
	seen++
	bad = sub(/^not /, "")
	number = $2
	if (number != seen)
		why = why " result " seen " has the number " number ";"
	sub(/^ok [0-9]+ (- )?/, "")
	if (bad) {
		failure($0, "")
	} else if (match($0, / # SKIP/)) {
		skipped++
		reason = substr($0, RSTART + 8)
		testcase(substr($0, 1, RSTART - 1), "<skipped message=\"" xml(reason) "\"/>")
	} else {
		passed++
		testcase($0, "")
	}
	next
}
/^# end of suite$/ { ended = 1 }
/^# exit status 1$/ || /^# (suite|end of suite|ended with)/ { next }
{ sub(/^# /, ""); line[++lines] = $0 }
END {
	if (!planned)
		why = why " it has no plan;"
	else if (seen != planned)
		why = why " it planned " planned " results and gave " seen + 0 ";"
	if (!ended)
		why = why " its end marker is missing;"
	if (why != "") {
		sub(/;$/, ".", why)
		failure("the suite is whole", "It was cut off:" why)
	} else if (status != 0 && !failed) {
		failure("the suite ends well", "It ended with the exit status " status ".")
	}
	printf "%d %d %d %.0f\n", passed, failed, skipped, now - began
	printf "<testsuite name=\"%s: %s\" tests=\"%d\" failures=\"%d\" errors=\"0\" " \
		"skipped=\"%d\" time=\"%.3f\">\n<properties>\n" \
		"<property name=\"kernel\" value=\"%s\"/>\n" \
		"<property name=\"log\" value=\"%s\"/>\n" \
		"</properties>\n%s</testsuite>\n", xml(kernel), xml(suite), \
		passed + failed + skipped, failed, skipped, now - began, xml(kernel), \
		xml(log_file), cases >>junit
}'
