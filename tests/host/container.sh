#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# container.sh OUT: the commands in an image that Containerfile describes, with the rights that
# containers have by default. The chroot of chroot.sh stands in for a container.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"
. "$top/tests/host/chroot.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
flavour=$(cut -d ' ' -f 2 "$out/tree/release")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-container.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# The rights are really not there.
confined() {
	container bash -c '
		! mount -t tmpfs none /mnt 2>/dev/null && ! unshare --mount true 2>/dev/null &&
		! unshare --user true 2>/dev/null'
}

# makes LINES PATTERN ARGUMENT...: runs make, and checks that LINES lines of its output match.
makes() {
	container make -C /src KERNEL="$flavour" "${@:3}" >"$tmp/said" 2>&1 &&
		grep -c "$2" "$tmp/said" | grep -x "$1" && return
	sed 's/^/# /' "$tmp/said"
	return 1
}

# Nothing is written to the checkout, but below build/.
sources_stay() {
	find "$tmp/copy" -path "$tmp/copy/build" -prune -o \
		-type f -newer "$tmp/copy/confine" -print |
		sed 's/^/# /' | tee "$tmp/written"
	[ ! -s "$tmp/written" ]
}

plan 4
[ -e "$image" ] || make_container || exit
mounts 'the container has no right to mount or to make a namespace' confined
mounts 'make demo prints its tables' makes 4 '^   time   delta' demo
mounts 'make check passes a suite of the guest' \
	makes 1 '^[0-9]* passed, 0 failed$' check SUITES=files
mounts 'nothing is written to the checkout but build/' sources_stay
end
