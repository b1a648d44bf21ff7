#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# module.sh demo|check KERNEL [KVER]: builds somebody else's module, in the directory MODULE, boots
# its kernel, and runs the script TEST in the guest, whose KTAP is counted. TEST is a path below
# MODULE, or from here to there. Without TEST, demo loads the modules, shows what the kernel said,
# and unloads them; check tests only that they load and unload.
#
# The output is in build/RELEASE/m/NAME, as test.out, test.console and junit.xml. The variable LIMIT
# is how many seconds the guest may take.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 2 ] || usage
verb=$1
shift
: "${MODULE:?names the module\'s directory}"

test=''
if [ -n "${TEST-}" ]; then
	file=$(cd "$MODULE" && realpath -qe "$TEST" || realpath -qe "$OLDPWD/$TEST") ||
		die "TEST=$TEST: there is no such file in $MODULE."
	[[ $file = "$MODULE"/* ]] ||
		die "TEST=$TEST is not in $MODULE, which is all that the guest sees."
	test=/module/${file#"$MODULE"/}
elif [ "$verb" = check ]; then
	test=/jitasklet/scripts/guest/load-test.sh
fi

need_namespaces "booting a guest"
out=$("$top/scripts/build.sh" "$@")
release=${out##*/} name=${MODULE##*/} limit=${LIMIT:-600}
dir=build/$release/m/$name

if [ -z "$test" ]; then
	exec "$top/scripts/guest.sh" "$out" "m/$name/demo" "$limit" \
		bash scripts/guest/module.sh demo
fi

cd "$top"
status=0
"$top/scripts/guest.sh" "$out" "m/$name/test" "$limit" \
	bash scripts/guest/module.sh test "$test" |
	while IFS= read -r line || [ -n "$line" ]; do
		printf '%s\n' "$line"
		printf '%s %s\n' "${EPOCHREALTIME/,/.}" "$line" >&3
	done 3>"$dir/stamped" || status=${PIPESTATUS[0]}
: >"$dir/testsuite"
read -r passed failed skipped _ <<<"$("$top/scripts/results.sh" "$release" "$name" "$dir/stamped" \
	"$status" "$dir/test.out" "$dir/testsuite")"
printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' '<testsuites>' "$(<"$dir/testsuite")" \
	'</testsuites>' >"$dir/junit.xml"
say "$dir has test.out, test.console and junit.xml"
summary "$passed" "$failed" "$skipped"
