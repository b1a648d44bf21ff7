# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KTAP for the suites written in shell, in the guest and on the host:
#
#     plan NUMBER
#     check NAME COMMAND...	passes if COMMAND succeeds and, in a guest, the kernel is silent
#     splat PATTERN NAME COMMAND...	the same, and the kernel must complain with PATTERN only
#     skip NAME REASON
#     check NAME fails_with PATTERN COMMAND...
#				passes if COMMAND fails and prints PATTERN
#     leaks			on a kernel with kmemleak, a test more: nothing leaked up to here
#     end			the marker without which a suite was cut off, after leaks

set -uo pipefail

ktap_number=0
ktap_failed=0
splats=${BASH_SOURCE[0]%/*}/../scripts/splats.sh

kmemleak=/sys/kernel/debug/kmemleak
leaks_pending=

plan() {
	echo 'KTAP version 1'
	if in_guest; then
		dmesg -c >/dev/null
		[ ! -e "$kmemleak" ] || { leaks_pending=1; echo clear >"$kmemleak"; }
	fi
	echo "1..$(($1 + ${leaks_pending:-0}))"
}

ktap_result() {
	ktap_number=$((ktap_number + 1))
	[ "$1" = ok ] || ktap_failed=1
	echo "$1 $ktap_number $2"
}

skip() {
	ktap_result ok "$1 # SKIP $2"
}

# In a guest, kernel messages since the previous test belong to the test. On the host they do not.
in_guest() {
	[[ $(</proc/cmdline) = *scripts/guest/init.sh* ]]
}

check() {
	local name=$1 result=ok said
	shift
	"$@" </dev/null || { echo "# exit status $?"; result='not ok'; }
	if in_guest; then
		said=$(dmesg -c)
		# Most tests need not start the program for it.
		[ -z "$said" ] || said=$("$splats" <<<"$said")
		[ -z "$said" ] || { result='not ok'; echo "# ${said//$'\n'/$'\n'# }"; }
	fi
	ktap_result "$result" "$name"
}

splat() {
	local pattern=$1 name=$2 result=ok said
	shift 2
	dmesg -c >/dev/null
	echo 'jitasklet-test: expect' >/dev/kmsg
	"$@" </dev/null || { echo "# exit status $?"; result='not ok'; }
	echo 'jitasklet-test: expected' >/dev/kmsg
	said=$(dmesg -c | grep -v jitasklet-test: | "$splats" |
		grep -vE 'Modules linked in:|Call Trace:|cut here')
	if ! grep -qE "$pattern" <<<"$said" || grep -qvE "$pattern" <<<"$said"; then
		result='not ok'
		echo "# complaints like '$pattern' and no others should be in the log; there is:"
		echo "# ${said//$'\n'/$'\n'# }"
	fi
	ktap_result "$result" "$name"
}

# fails_with PATTERN COMMAND...: succeeds if the command fails and prints PATTERN.
fails_with() {
	local pattern=$1 said
	shift
	if said=$("$@" 2>&1 </dev/null); then
		echo "# it passed: $*"
		return 1
	fi
	grep -qE "$pattern" <<<"$said" && return
	echo "# it did not say '$pattern', but: $(tail -n 15 <<<"$said")"
	return 1
}

# kmemleak does not report objects that are younger than five seconds (MSECS_MIN_AGE, which cannot
# be set), or that it has seen only once. This waits until the objects of the last test are that
# old; meanwhile a first scan sees them once.
nothing_leaked() {
	local old=$((${EPOCHREALTIME/[.,]/} + 5100000)) rest
	echo scan >"$kmemleak" || return
	rest=$((old - ${EPOCHREALTIME/[.,]/}))
	[ "$rest" -le 0 ] || sleep "$(printf '%d.%06d' $((rest / 1000000)) $((rest % 1000000)))"
	echo scan >"$kmemleak" || return
	! sed 's/^/# /' "$kmemleak" | grep .
}

leaks() {
	[ -n "$leaks_pending" ] || return 0
	leaks_pending=
	check 'nothing is leaked' nothing_leaked
}

end() {
	leaks
	echo '# end of suite'
	exit "$ktap_failed"
}
