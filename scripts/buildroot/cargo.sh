#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# cargo.sh TARGET COMMAND [ARGUMENTS]: cargo with Debian's crates, on the model in tests/model/.
# What it builds stays in TARGET, a path below the checkout. Runs in the build root: see enter.sh.

set -euo pipefail

: "${2?"usage: cargo.sh TARGET COMMAND [ARGUMENTS]"}"
# Cargo wants to write next to what it builds, hence the copy.
cp -rp /jitasklet/tests/model "$TMPDIR/model"
cd "$TMPDIR/model"
export CARGO_TARGET_DIR=/jitasklet/$1
exec cargo "$2" --offline --quiet --config 'source.crates-io.replace-with="debian"' \
	--config 'source.debian.directory="/usr/share/cargo/registry"' "${@:3}"
