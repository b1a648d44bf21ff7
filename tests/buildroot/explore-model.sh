#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# explore-model.sh: builds the model once and runs it once for each result. On standard output is an
# archive of what each run said, in SCENARIO or SCENARIO,DEFECT. Runs in the build root.

set -euo pipefail

/jitasklet/scripts/buildroot/cargo.sh build/model build --release >&2
export model=/jitasklet/build/model/release/model

run() {
	local words=("${1%,*}")
	[[ $1 != *,* ]] || words+=("${1#*,}")
	timeout 1800 "$model" run "${words[@]}" >"$1" 2>&1 || echo "exit status $?" >>"$1"
}
export -f run

mkdir "$TMPDIR/out"
cd "$TMPDIR/out"
# shellcheck disable=SC2094 # a word, and the file that gets its list
for list in properties scenarios mutants; do
	"$model" "$list" >"$list"
done
{
	cut -d ' ' -f 1 scenarios
	awk '{ print $2 "," $1 }' mutants
} | xargs -P "$(nproc)" -I {} bash -c 'run {}'
tar -c .
