#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh COMMAND...: runs what a command of the Makefile does. If it fails, build/report.txt has
# what somebody else needs to find out why: see report.sh. A shell keeps the terminal.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
report=$top/build/report.txt
# Suites call make, too, and often want it to fail.
[ -z "${JIT_REPORTS-}" ] || exec "$@"
mkdir -p "${report%/*}" 2>/dev/null || exec "$@"
log=$(mktemp "$report.XXXXXX" 2>/dev/null) || exec "$@"
export JIT_REPORTS=1
trap 'rm -f "$log" "$log.new"' EXIT
rm -f "$report"

exec 3> >(exec tee -i -a "$log" 4>&-)
copies=(--pid=$!)
exec 4> >(exec tee -i -a "$log" >&2 3>&-)
copies+=(--pid=$!)
status=0
case $1 in
*/shell.sh) "$@" 2>&4 3>&- 4>&- || status=$? ;;
*) "$@" >&3 2>&4 3>&- 4>&- || status=$? ;;
esac
# All that was printed must be there; but what the command left running is not waited for.
exec 3>&- 4>&-
timeout 5 tail "${copies[@]}" -f /dev/null || true

# 130: it was interrupted.
if [ "$status" -ne 0 ] && [ "$status" -ne 130 ]; then
	"$top/scripts/report.sh" "$log" "$status" >"$log.new" 2>/dev/null || true
	mv "$log.new" "$report"
	say "build/report.txt has what a report of this failure needs: versions and all logs"
fi
exit "$status"
