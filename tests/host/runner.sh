#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# runner.sh OUT: the symbol check, the guest's runner, the counting of results and the runner of
# suites detect failures: each gets some, and must fail and print the reason.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
release=${out##*/}
tree=$out/tree
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The symbol check, with one shipped symbol more or less.
symbols() {
	"$top/scripts/check-symbols.sh" "$tree/build" "$1"
}

symbol_missing() {
	grep -v rust_helper_get_task_struct "$tree/build/Module.symvers" >"$tmp/symvers"
	fails_with 'Only in the regenerated tree, 1: rust_helper_get_task_struct' \
		symbols "$tmp/symvers"
}

symbol_extra() {
	{
		cat "$tree/build/Module.symvers"
		printf '0x00000000\t_RNvCother\tvmlinux\tEXPORT_SYMBOL_GPL\t\n'
	} >"$tmp/symvers"
	fails_with 'Only in the shipped kernel, 1: _RNvCother' symbols "$tmp/symvers"
}

symbols_of_no_rust() {
	grep -vE '	(_R|rust_)' "$tree/build/Module.symvers" >"$tmp/symvers"
	fails_with 'without CONFIG_RUST' symbols "$tmp/symvers"
}

# guest NAME SECONDS COMMAND: a guest that has SECONDS to finish.
guest() {
	"$top/scripts/guest.sh" "$out" "broken-$1" "${@:2}"
}

# The results as ktap.sh counts them.
counts() {
	printf '%s\n' "${@:2}" >"$tmp/ktap"
	[ "$("$top/scripts/results.sh" host shown "$tmp/ktap" 2>/dev/null)" = "$1 0" ]
}

# Replaces virtiofsd by a slow one, for one run only.
virtiofsd_slow() {
	local root
	root=$("$top/scripts/root.sh" emulator) || return
	mkdir -p "$tmp"/{upper/usr/libexec,work}
	printf '#!/bin/sh\n[ "$1" = --version ] || sleep 20\n' >"$tmp/upper/usr/libexec/virtiofsd"
	chmod +x "$tmp/upper/usr/libexec/virtiofsd"
	fails_with 'virtiofsd was too slow three times' "${isolated[@]}" sh -euc '
		mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work$3" overlay "$1"
		shift 3
		exec "$@"' sh "$root" "$tmp" "$([ "$UID" = 0 ] || echo ,userxattr)" \
		"$top/scripts/guest.sh" "$out" broken-slow 600 true
}

# These two mostly wait, so they run in the background. Their output is used later.
meanwhile() {
	local name=$1 status=0
	shift
	"$@" >"$tmp/$name.said" 2>&1 </dev/null || status=$?
	echo "$status" >"$tmp/$name.status"
}

was_good() {
	wait "$2"
	cat "$tmp/$1.said"
	return "$(<"$tmp/$1.status")"
}

# A checkout with the current scripts and a few suites with known results.
copy=$tmp/copy
suite() {
	local script=$copy/tests/host/$1.sh
	{
		echo '#!/bin/bash'
		# shellcheck disable=SC2016 # it is for the suite to expand
		echo '. "${BASH_SOURCE[0]%/*}/../ktap.sh"'
		cat
	} >"$script"
}

make_copy() {
	copy_checkout "$copy"
	mkdir "$copy/build"
	cp -a "$out" "$copy/build/"
	suite errors <<-'EOF'
		fails() {
			echo '# the reason is <"&">'
			return 1
		}
		plan 4
		check 'a test that passes' true
		check 'a test that <"fails"> & says why' fails
		skip 'a test that is skipped' 'for <"no"> reason & without one'
		check 'a test that passes' true
		end
	EOF
	suite benchmarks <<<'plan 1; check one true; (end); exit 3'
	suite model <<<'plan 2; check one true'
	# Each prints its next line after the other has printed one, so both run at once.
	for pair in 'doc compile-fail' 'compile-fail doc'; do
		suite "${pair% *}" <<-EOF
			meets() {
				for round in 1 2 3 4 5; do
					echo "# ${pair% *} says \$round"
					: >"$tmp/${pair% *}.\$round"
					until [ -e "$tmp/${pair#* }.\$round" ]; do
						sleep 0.1
					done
				done
			}
			export -f meets
			plan 1
			check meets timeout 600 bash -c meets
			end
		EOF
	done
}

make_check() {
	make --no-print-directory -C "$copy" check "$@"
}

unknown_suite() {
	mkdir -p "$copy/build/check"
	: >"$copy/build/check/earlier"
	fails_with "SUITES=toast: there is no such suite in 'make check'" \
		make_check SUITES='files toast' &&
		fails_with 'There are: kernel files experiments .* lint' \
			make_check SUITES='files toast' &&
		[ -e "$copy/build/check/earlier" ]
}

# The results of the suites above, some of which fail.
run_fails() {
	! make_check SUITES='errors benchmarks model doc compile-fail' JOBS=2 >"$tmp/run" 2>&1 &&
		[ ! -e "$copy/build/check/earlier" ] &&
		grep -qx '6 passed, 3 failed, 1 skipped' "$tmp/run" && return
	sed 's/^/# /' "$tmp/run"
	return 1
}

# The ten lines of the pair are in two blocks.
whole() {
	[ "$(sed -nE 's/^# ([a-z-]+) says [1-5]$/\1/p' "$tmp/run" | uniq -c |
		awk '{ print $1 }' | xargs)" = '5 5' ]
}

says_what_failed() {
	local said expected
	local cut_off='it planned 2 results and gave 1; its end marker is missing.'
	said=$(sed -n '/^What failed:$/,/^[0-9]* passed/p' "$tmp/run" | sed '1,2d' | sed '/^$/,$d' |
		paste -sd '|' | sed 's/|host: /\nhost: /g' | sort)
	expected=$(printf '%s|    %s|    build/check/%s-host.ktap\n' \
		'host: benchmarks: the suite ends well' 'It ended with the exit status 3.' \
		benchmarks \
		'host: errors: a test that <"fails"> & says why' 'the reason is <"&">' errors \
		'host: model: the suite is whole' "It was cut off: $cut_off" model)
	[ "$said" = "$expected" ] && return
	diff <(echo "$expected") <(echo "$said") | sed 's/^/# /'
	return 1
}

# Third-party tools, a schema and a parser, read the same results from junit.xml.
junit() {
	"$copy/scripts/enter.sh" --layer junit "$tree" \
		python3 -B /jitasklet/tests/host/junit.py /jitasklet/build/check/junit.xml
}

junit_is_read() {
	local said
	said=$(junit | sort) || return
	if [ "$said" != "$(printf 'host: %s skipped\n' \
		'benchmarks: 1 passed, 1 failed, 0' \
		'compile-fail: 1 passed, 0 failed, 0' \
		'doc: 1 passed, 0 failed, 0' \
		'errors: 2 passed, 1 failed, 1' \
		'model: 1 passed, 1 failed, 0')" ]; then
		echo "# ${said//$'\n'/$'\n'# }"
		return 1
	fi
	junit_has 'skipped message="for &lt;&quot;no&quot;&gt; reason &amp; without one"' &&
		junit_has 'failure message="the reason is &lt;&quot;&amp;&quot;&gt;"' &&
		junit_has 'name="a test that passes \(2\)"' &&
		junit_has 'name="log" value="build/check/errors-host.ktap"'
}

junit_has() {
	grep -qE "$1" "$copy/build/check/junit.xml" || { echo "# there is no $1"; return 1; }
}

cannot_be_built() {
	fails_with '^0 passed, 1 failed$' make_check SUITES=files KERNEL=toast &&
		grep -q 'KERNEL=toast: there is no such kernel' "$copy"/build/check/build-toast.ktap
}

# SUITES= selects no suite of the second command.
ends_with_the_sum() {
	local said
	suite benchmarks <<<'plan 1; check one true; end'
	said=$(make --no-print-directory -C "$copy" check check-debug SUITES=benchmarks | tail -n 1)
	[ "$said" = '1 passed, 0 failed' ] || { echo "# it ended with: $said"; return 1; }
}

# Ctrl-C while a suite runs that would never end.
interrupted() {
	local pid
	suite errors <<<"plan 1; check forever sh -c ': >$tmp/begun; exec tail -f $tmp/begun'"
	JIT_CACHE=$cache setsid env --default-signal=INT \
		make --no-print-directory -C "$copy" check SUITES=errors \
		>"$tmp/interrupted" 2>&1 </dev/null &
	pid=$!
	until [ -e "$tmp/begun" ]; do
		kill -0 "$pid" || return
		sleep 0.1
	done
	kill -INT -- "-$pid"
	wait "$pid" && return 1
	! pgrep -f "$tmp/begun"
}

meanwhile hangs fails_with 'did not finish within 25 s' guest hangs 25 'sleep 1000' &
hangs=$!
[ -e "$image" ] || meanwhile virtiofsd virtiofsd_slow &
slow=$!

plan 23
check 'the symbols are those of the shipped kernel' symbols "$tree/build/Module.symvers"
check 'a symbol that was not shipped is found' symbol_missing
check 'a symbol that was not regenerated is found' symbol_extra
check 'a kernel without Rust is found' symbols_of_no_rust
check 'a guest whose command fails is a failure' fails_with 'command failed \(exit 3\)' \
	guest fails 600 'exit 3'
check 'a guest that panics is a failure' fails_with 'Kernel panic - not syncing: sysrq' \
	guest panics 600 'echo c >/proc/sysrq-trigger'
check 'a guest whose kernel warns is a failure' fails_with 'WARNING.*proc_register' \
	guest complains 600 \
	"insmod build/$release/jitasklet.ko && insmod build/$release/tests/clash.ko; true"
check 'a guest that hangs is a failure' was_good hangs "$hangs"
mounts 'a virtiofsd that does not start is named' was_good virtiofsd "$slow"
check 'results are counted' counts '2 1 1' 1..4 'ok 1 a' 'not ok 2 b' 'ok 3 c # SKIP d' 'ok 4 e' \
	'# end of suite'
check 'one result too few is a failure' counts '1 1 0' 1..2 'ok 1 a' '# end of suite'
check 'one result too many is a failure' counts '2 1 0' 1..1 'ok 1 a' 'ok 2 b' '# end of suite'
check 'a result given twice is a failure' counts '2 1 0' 1..2 'ok 1 a' 'ok 1 a' '# end of suite'
check 'a suite without its end marker is a failure' counts '1 1 0' 1..1 'ok 1 a'
check 'a suite without a plan is a failure' counts '1 1 0' 'ok 1 a' '# end of suite'
make_copy || exit
check 'an unknown suite is named, and earlier results stay' unknown_suite
check 'a run of suites of which some fail is a failure, and counts' run_fails
check 'suites run side by side, and the output of each is whole' whole
check 'a failed run names each failed test, with its reason and its log' says_what_failed
check 'a schema and a parser read junit.xml' junit_is_read
check 'a kernel that cannot be built is a failure' cannot_be_built
check 'two commands in one make end with their sum' ends_with_the_sum
check 'Ctrl-C leaves no suite running' interrupted
end
