#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doc.sh OUT: renders the documentation of the module's crate, with rustdoc against the kernel's
# crates, into build/doc, and compiles the examples in it. Any warning is an error.

. "${BASH_SOURCE[0]%/*}/lib.sh"

out=$(realpath "$1")
release=${out##*/}
mkdir -p "$top/build/doc"

"$top/scripts/enter.sh" "$out/tree" bash -euo pipefail -c '
	# The flags that Kbuild gave rustc for the module, without its input and output.
	flags=$(sed -n "s/^savedcmd_jit_tasklet.o := .* rustc \(.*\) --out-dir .*/\1/p" \
		"/jitasklet/build/$1/.jit_tasklet.o.cmd")
	eval "flags=($flags)"
	export OBJTREE=/kernel/build RUST_MODFILE=./jitasklet RUSTC_BOOTSTRAP=1

	cd /tmp
	rustdoc "${flags[@]}" --document-private-items --crate-name jit_tasklet -Dwarnings \
		--output /jitasklet/build/doc /jitasklet/jit_tasklet.rs

	# Each example becomes a crate of its own.
	for wrapper in tasklet_wrap bh_work; do
		awk -v wrapper="$wrapper" "
			/^\/\/! \`\`\`/ {
				fenced = !fenced
				inside = fenced && /\`\$/
				n += inside
				next
			}
			inside { sub(/^\/\/! ?/, \"\"); print > wrapper \"_example\" n \".rs\" }
		" "/jitasklet/$wrapper.rs"
		for example in "$wrapper"_example*.rs; do
			{
				echo "//! An example."
				echo "#[path = \"/jitasklet/$wrapper.rs\"]"
				echo "pub mod $wrapper;"
				echo "#[path = \"/jitasklet/unload.rs\"]"
				echo "pub mod unload;"
				# module! defines this for pr_warn! and the like.
				echo "const __LOG_PREFIX: &[u8] = b\"example\\0\";"
				cat "$example"
			} >"crate_$example"
			rustc "${flags[@]}" -Dwarnings -Adead_code -Amissing_docs \
				-Aunreachable_pub --emit=metadata --out-dir /tmp "crate_$example"
		done
	done
	printf "%s\n" crate_*.rs | wc -l >/jitasklet/build/doc/examples
' bash "$release" </dev/null || die "the documentation has errors: see above."

say "rendered build/doc/jit_tasklet/index.html;" \
	"compiled the $(cat "$top/build/doc/examples") examples in it"
