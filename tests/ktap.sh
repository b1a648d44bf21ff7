# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KTAP for the suites written in shell, in the guest and on the host:
#
#     plan NUMBER
#     check NAME COMMAND...	passes if COMMAND succeeds and, in a guest, the kernel is silent
#     splat PATTERN NAME COMMAND...	the same, and the kernel must complain with PATTERN only
#     mounts NAME COMMAND...	the same, on the host, where COMMAND makes mounts or namespaces
#     skip NAME REASON
#     check NAME fails_with PATTERN COMMAND...
#				passes if COMMAND fails and prints PATTERN
#     await COMMAND...		repeats the command until it succeeds, for at least two minutes
#     leaks			tests that nothing has leaked, on a kernel with kmemleak
#     end			calls leaks, and prints the marker of a suite that was not cut off

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

mounts() {
	if [ -e /etc/jitasklet-image ]; then
		skip "$1" 'in a container there may be no mounts and no namespaces'
	else
		check "$@"
	fi
}

# In a guest, kernel messages since the previous test belong to the test. On the host they do not.
in_guest() {
	[[ $(</proc/cmdline) = *scripts/guest/init.sh* ]]
}

# A local would hide a suite's global from the command, so those set before it begin with ktap_.
check() {
	local ktap_name=$1 ktap_verdict=ok
	shift
	"$@" </dev/null || { echo "# exit status $?"; ktap_verdict='not ok'; }
	if in_guest; then
		local said
		said=$(dmesg -c)
		# Most tests need not start the program for it.
		[ -z "$said" ] || said=$("$splats" <<<"$said")
		[ -z "$said" ] || { ktap_verdict='not ok'; echo "# ${said//$'\n'/$'\n'# }"; }
	fi
	ktap_result "$ktap_verdict" "$ktap_name"
}

splat() {
	local ktap_pattern=$1 ktap_name=$2 ktap_verdict=ok
	shift 2
	dmesg -c >/dev/null
	echo 'jitasklet-test: expect' >/dev/kmsg
	"$@" </dev/null || { echo "# exit status $?"; ktap_verdict='not ok'; }
	echo 'jitasklet-test: expected' >/dev/kmsg
	local said
	said=$(dmesg -c | grep -v jitasklet-test: | "$splats" |
		grep -vE 'Modules linked in:|Call Trace:|cut here')
	if ! grep -qE "$ktap_pattern" <<<"$said" || grep -qvE "$ktap_pattern" <<<"$said"; then
		ktap_verdict='not ok'
		echo "# the log should have complaints like '$ktap_pattern' and no others; it has:"
		echo "# ${said//$'\n'/$'\n'# }"
	fi
	ktap_result "$ktap_verdict" "$ktap_name"
}

# fails_with PATTERN COMMAND...: succeeds if the command fails and prints PATTERN.
fails_with() {
	local ktap_pattern=$1 ktap_said
	shift
	if ktap_said=$("$@" 2>&1 </dev/null); then
		echo "# it passed: $*"
		return 1
	fi
	grep -qE "$ktap_pattern" <<<"$ktap_said" && return
	echo "# it did not print '$ktap_pattern', but: $(tail -n 15 <<<"$ktap_said")"
	return 1
}

await() {
	local try
	for try in {1..1200}; do
		! "$@" || return 0
		sleep 0.1
	done
	echo "# failed $try times: $*"
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
