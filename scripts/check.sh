#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh WHAT...: runs suites in parallel, then prints a table, what failed, and a summary line.
# Several WHAT share the machine and the summary. WHAT is
#     check               every suite that a change must pass, on the ordinary and the PREEMPT_RT
#                         kernel
#     check-all/RELEASE   the suites of the guest, on one kernel: see check-all.sh
#     check-debug         the suites of the guest, and those that need it, on the debug kernel
#
# From the environment:
#     SUITES="NAME..."    only these
#     KERNEL=... KVER=... the kernel, in place of both, for the suites of the guest in check;
#                         KVER= also for check-debug. If KERNEL is a directory with a kernel that
#                         was built there, only suites of the guest run.
#     SUITE=...           the suite of Debian that it is in
#     JOBS=N              how many run at a time
#     LIMIT=SECONDS       how long a guest may take
#     SPEED=fast|slow     only suites of the guest, on a machine of that speed: see guest.sh
#
# A suite's output is printed when it has ended, and kept in build/WHAT/SUITE-KERNEL.ktap;
# build/WHAT/junit.xml has all results. Exits non-zero if anything failed.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

read -ra only <<<"${SUITES-}"
kernel=${KERNEL-} kver=${KVER-} debian_suite=${SUITE-}
njobs=${JOBS-}
# Suites may call make, and must not inherit these.
unset SUITES KERNEL KVER SUITE JOBS MAKEFLAGS MFLAGS MAKELEVEL

case ${SPEED-} in
'' | fast | slow) ;;
*) die "SPEED=$SPEED: there is no such speed." "Type: SPEED=fast or SPEED=slow, or leave it out." ;;
esac

# A guest takes up to 2 GiB of memory, with QEMU and virtiofsd.
cores=$(nproc)
memory=$(awk '/^MemAvailable:/ { print int($2 / 1024 / 2048) }' /proc/meminfo)
jobs=${njobs:-$((cores < memory ? cores + 1 : memory > 1 ? memory : 1))}
[[ $jobs =~ ^[1-9][0-9]*$ ]] ||
	die "JOBS=$jobs: that is no number of jobs." "Type: JOBS=2, or another number from 1 on."

# Only a guard against hangs: ten times what a slow machine takes for all suites in one guest.
guard=${LIMIT:-$((2400 * (jobs / cores + 1)))}

# The jobs, the longest first.
of=() kind=() needs=() title=() command=()
known=()
declare -A build_of=()

# job SET KIND NEEDS TITLE COMMAND...: a job that begins once the job NEEDS, if any, has succeeded.
job() {
	of+=("$1") kind+=("$2") needs+=("$3") title+=("$4")
	shift 4
	command+=("$(printf '%q ' "$@")")
}

# chosen NAME...: sets $names to those of the suites that SUITES= selects.
chosen() {
	local name
	known+=("$@") names=()
	for name; do
		if [ "${#only[@]}" -eq 0 ] || [[ " ${only[*]} " = *" $name "* ]]; then
			names+=("$name")
		fi
	done
	[ "${#names[@]}" -gt 0 ]
}

# build SET KERNEL [KVER]: sets $built to the job that builds the module and the tests for it.
build() {
	local key="$2 ${3-}"
	if [ -z "${build_of[$key]-}" ]; then
		build_of[$key]=${#command[@]}
		job "$1" build '' "build for $2${3:+ $3}" build_all "${#command[@]}" "$2" "${3-}"
	fi
	built=${build_of[$key]}
}

# guests SET KERNEL KVER "SUITES"...: adds a guest for each group of suites. A boot takes about as
# long as a suite, and the longest job should not outlast all others.
guests() {
	local set=$1 kernel=$2 version=$3 group names built
	shift 3
	for group; do
		# shellcheck disable=SC2086
		chosen $group || continue
		build "$set" "$kernel" "$version"
		job "$set" guest "$built" "${names[*]}" guest "$built" "${names[@]}"
	done
}

# host SET SUITE [KERNEL]: adds a suite of the host, for the build directory of that kernel.
host() {
	local built='' names script=$top/tests/host/$2.sh
	[ "$2" != lint ] || script=$top/scripts/lint.sh
	chosen "$2" && [ -z "${SPEED-}" ] && [[ $kernel != /* ]] || return 0
	[ -z "${3-}" ] || build "$1" "$3" "$([ "$3" = debug ] || echo "$kver")"
	job "$1" host "$built" "$2" on_host "$built" "$script"
}

ordinary=('kernel files experiments trace security unload' 'load proc' 'device')
preempt_rt=('kernel files experiments trace unload' 'load' 'device')

has_preempt_rt() {
	[ "$kernel" = rt ] || grep -q '^CONFIG_PREEMPT_RT=y' "$kernel/.config"
}

plan_check() {
	local name
	case $kernel in
	'')
		guests check cloud "$kver" "${ordinary[@]}"
		guests check rt "$kver" "${preempt_rt[@]}"
		;;
	rt | /*)
		[ "${#only[@]}" -gt 0 ] || ! has_preempt_rt || ordinary=("${preempt_rt[@]}")
		guests check "$kernel" "$kver" "${ordinary[@]}"
		;;
	*) guests check "$kernel" "$kver" "${ordinary[@]}" ;;
	esac
	# They mostly wait, so they start early, in parallel with others.
	host check errors
	host check doctor
	for name in modules headers ci report model runner rights accel container own-kernel \
		kernels benchmarks solutions helpers kdir lint compile-fail doc; do
		host check "$name" cloud
	done
}

# plan_check-all RELEASE
plan_check-all() {
	case $(flavour_of "$1") in
	rt) guests "check-all/$1" "$1" '' "${preempt_rt[@]}" ;;
	*) guests "check-all/$1" "$1" '' "${ordinary[@]}" ;;
	esac
}

# 'trace' would see the stack traces that 'faults' enables, and later suites would find what
# 'unload' leaks on purpose. The guests take about equally long, because they come last.
plan_check-debug() {
	guests check-debug debug "$kver" 'load proc' 'trace security kernel unload' 'files faults' \
		defects signature
	host check-debug modules debug
	host check-debug initramfs debug
}

[ $# -gt 0 ] || usage
# The longest build begins first.
for what in check-debug check; do
	[[ " $* " != *" $what "* ]] || "plan_$what"
done
for what; do
	[[ $what != check-all/* ]] || plan_check-all "${what#*/}"
done
for name in "${only[@]}"; do
	[[ " ${known[*]} " = *" $name "* ]] ||
		die "SUITES=$name: there is no such suite in 'make $*'." \
			"There are: $(printf '%s\n' "${known[@]}" | awk '!seen[$0]++' | xargs)"
done
[ "${#command[@]}" -gt 0 ] ||
	die "there is nothing to run: SPEED= and KDIR= are for suites of the guest only." \
		"Leave them out for: ${only[*]}"
need_namespaces "booting a guest"

tmp=$(mktemp -d)
for what; do
	rm -rf --one-file-system "$top/build/$what"
	mkdir -p "$top/build/$what" "$tmp/${what%"${what##*/}"}"
	: >"$tmp/$what.junit"
done

# Each job has its own process group, so that none of its processes is left when this ends early.
stop() {
	trap - INT TERM EXIT
	for pid in "${!running[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	wait
	rm -rf "$tmp"
}
declare -A running=()
trap stop EXIT
trap 'stop; exit 130' INT TERM

# The functions that jobs run.

# build_all JOB KERNEL KVER: builds, and saves the path for the jobs that need it.
build_all() {
	local out
	out=$(SUITE=$debian_suite "$top/scripts/build.sh" "${@:2}") &&
		"$top/scripts/build-tests.sh" "$out" &&
		echo "$out" >"$tmp/out.$1"
}

guest() {
	local out options=()
	out=$(<"$tmp/out.$1")
	shift
	case " $* " in
	*' load '* | *' proc '*) options=(--load) ;;
	*' unload '*) options=(--its) ;;
	*' device '*) options=(--edu --append iomem=relaxed) ;;
	*' signature '*) options=(--load --append module.sig_enforce=1) ;;
	esac
	"$top/scripts/guest.sh" "${options[@]}" "$out" "$1" "$guard" \
		bash tests/guest/suites.sh "build/${out##*/}" "$@"
}

on_host() {
	if [ -n "$1" ]; then
		"$2" "$(<"$tmp/out.$1")"
	else
		"$2"
	fi
}

# Prefixes each line with its time. The progress of long steps is shown at once.
stamped() {
	local line
	while IFS= read -r line || [ -n "$line" ]; do
		printf '%s %s\n' "${EPOCHREALTIME/,/.}" "$line"
		[ "$1" != build ] || [[ $line != jitasklet:* ]] || together echo "$line" >&2
	done
}

# together COMMAND...: keeps the command's output from mixing with other output.
together() {
	(
		flock 9
		"$@"
	) 9>>"$tmp/printing"
}

release() {
	local out
	out=$(<"$tmp/out.${needs[$1]}")
	echo "${out##*/}"
}

begin() {
	local n=$1
	label[n]=${title[n]}
	[ "${kind[n]}" != guest ] || label[n]="$(release "$n"): ${title[n]}"
	together echo "# begins: ${label[n]}"
	set -m
	(
		# With -e, an eval that fails here would say 1 whatever the status was.
		set +e
		eval "${command[n]}" 2>&1 | stamped "${kind[n]}" >"$tmp/log.$n"
	) </dev/null &
	set +m
	running[$!]=$n
	began[n]=$SECONDS
}

shown() {
	printf '\n# ended after %s s: %s\n' "$2" "${label[$1]}"
	cut -d ' ' -f 2- "$tmp/log.$1"
}

passed=0 failed=0 skipped=0 rows=()

# suite SET KERNEL NAME STATUS LOG [SECONDS]: counts a suite, whose stamped output is in LOG.
suite() {
	local set=$1 kernel=$2 name=$3 counts p f s seconds
	local ktap=build/$set/$name-$kernel.ktap
	cut -d ' ' -f 2- "$5" >"$top/$ktap"
	counts=$("$top/scripts/results.sh" "$kernel" "$name" "$5" "$4" "$ktap" \
		"$tmp/$set.junit" 2>>"$tmp/failed")
	read -r p f s seconds <<<"$counts"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	rows+=("$(printf '%-28s %-13s %6d %6d %7d %5.0f s' \
		"$kernel" "$name" "$p" "$f" "$s" "$seconds")")
}

# The suites of a guest, each from its line "# suite NAME" on.
guest_suites() {
	local n=$1 status=$2 release names name its
	release=$(release "$n")
	read -ra names <<<"${title[n]}"
	for name in "${names[@]}"; do
		awk -v name="$name" '$2 == "#" && $3 == "suite" { its = $4 == name } its' \
			"$tmp/log.$n" >"$tmp/suite"
		its=$(awk '$2 == "#" && $3 == "ended" && $4 == "with" { print $5 }' "$tmp/suite")
		its=${its//[^0-9]/}
		its=${its:-1}
		# A guest that failed although its suites did not, crashed after the last of them.
		[ "$its" -eq 0 ] || status=0
		[ "$name" != "${names[-1]}" ] || its=$((its + status))
		suite "${of[n]}" "$release" "$name" "$its" "$tmp/suite"
	done
}

ended() {
	local n=$1 status=$2
	together shown "$n" $((SECONDS - began[n]))
	case ${kind[n]} in
	build)
		[ "$status" -eq 0 ] ||
			suite "${of[n]}" "$(basename "${title[n]#build for }")" build "$status" \
				"$tmp/log.$n"
		;;
	guest) guest_suites "$n" "$status" ;;
	host) suite "${of[n]}" host "${title[n]}" "$status" "$tmp/log.$n" ;;
	esac
}

# state[n]: empty, running, ok, or failed. A job is not run if the job that it needs has failed.
state=() began=() label=()
ready() {
	local n=$1
	[ -z "${state[n]-}" ] && { [ -z "${needs[n]}" ] || [ "${state[needs[n]]-}" = ok ]; }
}

# Sets $next to the next job that can begin. Builds come first, because others wait for them.
next_job() {
	local n
	for kinds in build 'guest host'; do
		for n in "${!command[@]}"; do
			[[ " $kinds " = *" ${kind[n]} "* ]] && ready "$n" && next=$n && return
		done
	done
	return 1
}

while :; do
	while [ "${#running[@]}" -lt "$jobs" ] && next_job; do
		state[next]=running
		begin "$next"
	done
	[ "${#running[@]}" -gt 0 ] || break
	status=0
	wait -n -p pid "${!running[@]}" || status=$?
	n=${running[$pid]}
	unset "running[$pid]"
	[ "$status" -eq 0 ] && state[n]=ok || state[n]=failed
	ended "$n" "$status"
done

for what; do
	{
		echo '<?xml version="1.0" encoding="UTF-8"?>'
		echo '<testsuites>'
		cat "$tmp/$what.junit"
		echo '</testsuites>'
	} >"$top/build/$what/junit.xml"
done

printf '\n%-28s %-13s %6s %6s %7s\n' kernel suite passed failed skipped
printf '%s\n' "${rows[@]}" | sort -s -k 1,1
if [ "$failed" -gt 0 ]; then
	printf '\nWhat failed:\n\n'
	cat "$tmp/failed"
fi
echo
summary "$passed" "$failed" "$skipped"
