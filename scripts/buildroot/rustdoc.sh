#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# rustdoc.sh OUT: renders the documentation of the module that was built in OUT, a path below the
# checkout, into build/doc, and compiles the examples in it. Any warning is an error. Runs in the
# build root: see enter.sh.

set -euo pipefail

out=/jitasklet/${1?"usage: rustdoc.sh OUT"}

# The flags that Kbuild gave rustc for the module, without its input and output.
flags=$(sed -n 's/^savedcmd_jit_tasklet.o := .* rustc \(.*\) --out-dir .*/\1/p' \
	"$out/.jit_tasklet.o.cmd")
eval "flags=($flags)"
export OBJTREE=/kernel/build RUST_MODFILE=./jitasklet RUSTC_BOOTSTRAP=1

cd "$TMPDIR"
rustdoc "${flags[@]}" --document-private-items --crate-name jit_tasklet -Dwarnings \
	--output /jitasklet/build/doc /jitasklet/jit_tasklet.rs

# Each example becomes a crate of its own.
for wrapper in tasklet_wrap bh_work; do
	awk -v wrapper="$wrapper" '
		/^\/\/! ```/ {
			fenced = !fenced
			inside = fenced && /`$/
			n += inside
			next
		}
		inside { sub(/^\/\/! ?/, ""); print > wrapper "_example" n ".rs" }
	' "/jitasklet/$wrapper.rs"
	for example in "$wrapper"_example*.rs; do
		cat - "$example" >"crate_$example" <<-END
			//! An example.
			#[path = "/jitasklet/$wrapper.rs"]
			pub mod $wrapper;
			#[path = "/jitasklet/unload.rs"]
			pub mod unload;
			#[path = "/jitasklet/versions.rs"]
			pub mod versions;
			// module! defines this for pr_warn! and the like.
			const __LOG_PREFIX: &[u8] = b"example\0";
		END
		rustc "${flags[@]}" -Dwarnings -Adead_code -Amissing_docs \
			-Aunreachable_pub --emit=metadata --out-dir . "crate_$example"
	done
done
printf '%s\n' crate_*.rs | wc -l >/jitasklet/build/doc/examples
