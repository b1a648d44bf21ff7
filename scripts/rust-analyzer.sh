#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rust-analyzer.sh OUT [FILE]: writes rust-project.json, or FILE, for the kernel of the build
# directory OUT. The kernel's own target names paths of the build root, which become the host's.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
file=${2-$top/rust-project.json}
root=$(COMPILERS=$(<"$out/tree/compilers") "$top/scripts/root.sh" build)

"$top/scripts/enter.sh" "$out/tree" \
	/jitasklet/scripts/buildroot/kbuild.sh . "build/${out##*/}/analyzer" -s \
	rust-analyzer </dev/null >&2 ||
	die "rust-project.json could not be made: see above."
sed -E -e "s,\"/jitasklet([/\"]),\"$top\1,; s,\"/usr/,\"${root%/}/usr/," \
	-e "s,\"/kernel/(source|build)([/\"]),\"$(realpath "$out/tree")/\1\2," \
	"$out/analyzer/rust-project.json" >"$file"
say "wrote ${file##*/}"
