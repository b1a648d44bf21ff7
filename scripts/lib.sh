# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # what it sets, others use
#
# What the scripts share: how they speak, where the cache is, and how nothing is left half-made.

set -euo pipefail
umask 022

# The checkout, and what is expensive to make and shared by all checkouts.
top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cache=${JIT_CACHE:-${XDG_CACHE_HOME:-${HOME:?is not set: set it, or JIT_CACHE}/.cache}/jitasklet}

say() {
	printf 'jitasklet: %s\n' "$*" >&2
}

# die WHAT [MEND...]: what happened, then a line for each thing to do about it.
die() {
	printf 'jitasklet: error: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '    %s\n' "$@" >&2
	exit 1
}

# usage: says how this script is called, as its first lines do.
usage() {
	sed -n "/^# ${0##*/}/,/^\$/s/^# \{0,1\}//p" "$0" >&2
	exit 2
}

# need TOOL PACKAGE: a tool of the host.
need() {
	command -v "$1" >/dev/null ||
		die "the command '$1' is missing on this machine." "Type: apt-get install $2"
}

need_root() {
	[ "$(id -u)" = 0 ] ||
		die "$1 needs root, for mounts in a mount namespace of its own." \
			"Type: sudo make ..., or run it in a root shell."
}

make_cache() {
	mkdir -p "$cache/log" 2>/dev/null ||
		die "cannot make the cache directory $cache." \
			"Set JIT_CACHE to a directory of yours."
}

# need_disk MIB WHAT: checked before the work, not found out in the middle of it.
need_disk() {
	local free
	free=$(df --output=avail -BM "$cache" | tail -n 1 | tr -dc 0-9)
	[ "$free" -ge "$1" ] ||
		die "$2 needs $1 MiB of disk in $cache, which has $free MiB left." \
			"Make room, or set JIT_CACHE to a directory on a larger disk."
}

# lock NAME: one at a time, over all checkouts. Held until this script and all its children end.
lock() {
	local fd
	exec {fd}>"$cache/$1.lock"
	flock -w 2 "$fd" || {
		say "another run is at work on $1; waiting for it"
		flock "$fd"
	}
}

# sweep DIR: removes what an interrupted run left. No mount can be below: all are in namespaces of
# their own, which ended with that run.
sweep() {
	rm -rf --one-file-system -- "$1"
}

# What to do about a failure, from what its log says.
mend() {
	if grep -qE 'No space left on device|Disk quota exceeded' "$1"; then
		echo "The disk is full: make room, or set JIT_CACHE to one on a larger disk."
	elif grep -qE 'Could not (resolve|connect)|Temporary failure|is unreachable' "$1"; then
		echo "The archive cannot be reached: look at the network, or set MIRROR=."
	elif grep -qE '404 +Not Found' "$1"; then
		echo "The archive has moved on: remove $cache/apt and try again."
	else
		echo "The same command starts this step anew."
	fi
}

# logged NAME WHAT COMMAND...: a long step, with its output in a log that a failure names.
logged() {
	local log=$cache/log/$1.log what=$2 began=$SECONDS status=0
	shift 2
	say "$what ..."
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$status" -ne 0 ]; then
		tail -n 15 "$log" | sed 's/^/    | /' >&2
		die "failed (exit $status): $what." "The whole log: $log" "$(mend "$log")"
	fi
	say "$what: done in $((SECONDS - began)) s"
}

# beside COMMAND...: runs a step in the background. It is to be waited for; if this script ends
# before, however it ends, all that the step has started ends too.
beside() {
	setpriv --pdeathsig KILL unshare --pid --fork --kill-child "$@" </dev/null &
}

# hash: a short name for what is on standard input.
hash() {
	sha256sum | cut -c 1-12
}
