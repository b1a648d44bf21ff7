# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # what it sets, others use
#
# lib.sh: what the scripts of the host share: messages, the cache, and steps that leave nothing
# half-made.

set -euo pipefail
umask 022
# Where an ordinary user on Debian has no chroot and no ldconfig.
PATH=$PATH:/usr/sbin:/sbin

# The checkout, and what is expensive to make and shared by all checkouts.
top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cache=${JIT_CACHE:-${XDG_CACHE_HOME:-${HOME:?is not set: set it, or JIT_CACHE}/.cache}/jitasklet}
# Nobody runs what somebody else has made: in another user's cache one has a cache of one's own.
if [ -d "$cache" ] && [ ! -O "$cache" ]; then
	cache+=/user-$UID
fi

say() {
	printf 'jitasklet: %s\n' "$*" >&2
}

# die WHAT [MEND...]: prints what happened, then a line for each thing to do about it, and exits.
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

# An image that Containerfile describes is the build root and the emulator's root itself, and has
# this file. There mounts and namespaces are not needed, and may not be allowed.
image=/etc/jitasklet-image

# Before a command: it runs in namespaces of its own for mounts and processes. However it ends, and
# however this script ends, no mount and no process of it stays behind. An ordinary user is root in
# there, by a user namespace, and what looks like root's files are that user's.
isolated=(setpriv --pdeathsig KILL)
if [ -e "$image" ]; then
	# Processes in the background ignore Ctrl-C, which is all that reaches them here.
	isolated+=(env --default-signal=INT)
else
	isolated+=(unshare --mount --pid --fork --kill-child --mount-proc)
	[ "$UID" = 0 ] || isolated+=(--user --map-root-user)
fi

# copy_checkout DIR: the checkout without what git ignores, for a test that writes to it.
copy_checkout() {
	mkdir -p "$1"
	(cd "$top" && git ls-files -z --cached --others --exclude-standard |
		tar --null --files-from=- -c) | tar -x -C "$1"
}

# overlay LOWER DIR: LOWER, and what is written on top of it, in the directory DIR of a tmpfs. In a
# user namespace an overlay keeps its notes where users may.
overlay() {
	local xattr=''
	[[ $(</proc/self/uid_map) = *' 4294967295' ]] || xattr=,userxattr
	mkdir "$2" "$2.upper" "$2.work"
	mount -t overlay -o "lowerdir=$1,upperdir=$2.upper,workdir=$2.work$xattr" overlay "$2" ||
		die "this machine's kernel cannot mount an overlay here." \
			${xattr:+"Ordinary users need Linux 5.11 or newer. Or type: sudo make ..."}
}

# need_namespaces WHAT: they can be had, or a sentence says what is in the way.
need_namespaces() {
	local what="$1 needs mounts in a namespace of its own" setting name off on
	need unshare util-linux
	! "${isolated[@]}" true 2>/dev/null || return 0
	[ "$UID" != 0 ] ||
		die "$what, and root may not make one here, as in a container without rights." \
			"Use an image that needs no rights: see Containerfile." \
			"Or start this container with: --cap-add SYS_ADMIN" \
			"--security-opt seccomp=unconfined --security-opt apparmor=unconfined" \
			"--security-opt systempaths=unconfined"
	for setting in user.max_user_namespaces=0=10000 kernel.unprivileged_userns_clone=0=1 \
		kernel.apparmor_restrict_unprivileged_userns=1=0; do
		IFS='=' read -r name off on <<<"$setting"
		[ "$(cat "/proc/sys/${name//.//}" 2>/dev/null)" != "$off" ] ||
			die "$what, and this machine has $name = $off, so only root has them." \
				"Type: sudo make ..., or ask the administrator for:" \
				"sudo sysctl $name=$on"
	done
	die "$what, and this machine's kernel gives none to ordinary users." \
		"Type: sudo make ..., or ask the administrator why this fails:" \
		"unshare --user --map-root-user --mount true"
}

make_cache() {
	# Debian's own tools need it no longer.
	need xz xz-utils
	mkdir -p "$cache/log" 2>/dev/null ||
		die "cannot make the cache directory $cache." \
			"Set JIT_CACHE to a directory that you can write to."
	[ -O "$cache" ] ||
		die "the cache $cache belongs to another user, who could change what you run." \
			"Set JIT_CACHE to a directory of your own."
	local_cache "$cache"
}

# local_cache DIR: overlays and locks need a local file system.
local_cache() {
	case $(stat -f -c %T "$1") in
	nfs* | cifs | smb* | fuse* | afs | v9fs | ceph | gpfs | lustre)
		die "the cache $cache is on a file system that is not local." \
			"Set JIT_CACHE to a directory on a local disk, such as" \
			"/var/tmp/jitasklet-${USER:-$UID}."
		;;
	esac
}

# archives: prints the addresses of the archives to try: MIRROR=, or all that the host's apt uses.
archives() {
	if [ -n "${MIRROR-}" ]; then
		echo "$MIRROR"
	else
		env -u APT_CONFIG apt-get indextargets --no-release-info --format '$(REPO_URI)' \
			2>/dev/null | awk '!seen[$0]++'
	fi
}

# need_disk MIB WHAT: checks the free space before the work begins.
need_disk() {
	local free
	free=$(df --output=avail -BM "$cache" | tail -n 1 | tr -dc 0-9)
	[ "$free" -ge "$1" ] ||
		die "$2 needs $1 MiB of disk in $cache, which has $free MiB left." \
			"Make room, or set JIT_CACHE to a directory on a larger disk."
}

# lock NAME: takes a lock that all checkouts share, and holds it until this script and all its
# children have ended.
lock() {
	local fd
	exec {fd}>"$cache/$1.lock"
	flock -w 2 "$fd" || {
		say "waiting for another run that is making $1"
		flock "$fd"
	}
}

# sweep DIR: removes what an interrupted run left. Nothing is mounted below: the mounts were in
# namespaces that ended with that run.
sweep() {
	rm -rf --one-file-system -- "$1"
}

# Prints what to do about a failure, judging by its log.
mend() {
	if grep -qE 'No space left on device|Disk quota exceeded' "$1"; then
		echo "The disk is full: make room, or set JIT_CACHE to one on a larger disk."
	elif grep -qE 'Could not (resolve|connect)|Temporary failure|is unreachable' "$1"; then
		echo "The archive cannot be reached: check the network, or set MIRROR=."
	elif grep -qE '404 +Not Found' "$1"; then
		echo "The archive has changed: remove $cache/apt* and try again."
	elif grep -q "and today's packages of its suite are" "$1"; then
		echo "The compilers in the archive are no longer those of this kernel." \
			"Choose another one that 'make kernels' lists, or set MIRROR= to an" \
			"archive of the day when it was built: see snapshot.debian.org."
	else
		echo "To retry this step, run the same command again."
	fi
}

# logged NAME WHAT COMMAND...: runs a long step, with its output in a log. A failure names the log.
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

# beside COMMAND...: runs a step in the background, for the caller to wait for. If this script ends
# first, for whatever reason, the step and its children are killed.
beside() {
	"${isolated[@]}" "$@" </dev/null &
}

# summary PASSED FAILED SKIPPED: prints the line that closes a run, which fails if anything failed.
summary() {
	local skipped=''
	[ "$3" -eq 0 ] || skipped=", $3 skipped"
	echo "$1 passed, $2 failed$skipped"
	[ "$2" -eq 0 ]
}

# hash: prints a short hash of standard input.
hash() {
	sha256sum | cut -c 1-12
}
