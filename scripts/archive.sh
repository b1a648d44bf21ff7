#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# archive.sh [SUITE]: fetches the package lists of SUITE, which has kernels (by default the first in
# debian.sh), and of the suite with their compilers, and prints the path of the apt configuration
# that reads them.
#
# The archive's address and all Acquire settings (proxies, Check-Valid-Until, ...) are those of the
# host's own apt, or MIRROR=. The host's lists and packages are not touched. Signatures are always
# verified.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

kernels=${1-${suites[0]}} compilers=$(compilers_in "${1-${suites[0]}}")
apt=$cache/apt
[ "$kernels" = "${suites[0]}" ] || apt+=-$kernels
conf=$apt/apt.conf

command -v apt-get >/dev/null ||
	die "this machine has no apt." "Use Debian 12 or newer as the host; no other was tried."

make_cache
lock "${apt##*/}"

# The lists are used for a day, unless the settings that they were made with have changed.
key=$({
	find /etc/apt -printf '%p %T@\n'
	cat "$top/scripts/$keys"
	echo "${MIRROR-} ${STALE_OK-}"
} | hash)
if [ "$(cat "$apt/key" 2>/dev/null)" = "$key" ] && [ -n "$(find "$apt/key" -mtime -1)" ]; then
	echo "$conf"
	exit
fi

# The host's Acquire settings, in apt's own syntax.
acquire=$(env -u APT_CONFIG apt-config dump --format '%f "%v";%n' Acquire |
	grep -vE '^Acquire::(IndexTargets|Changelogs)' || true)
case ${STALE_OK-} in
'' | 0) ;;
*) acquire+=$'\n''Acquire::Check-Valid-Until "false";' ;;
esac

uris=$(archives)
[ -n "$uris" ] ||
	die "the host's apt has no sources, so the archive's address is not known." \
		"Set MIRROR= to the address of a Debian archive."

# An apt configuration that has all its files in DIR.
conf_for() {
	cat <<-EOF
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::sourcelist "$1/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::trusted "/dev/null";
		Dir::Etc::trustedparts "$1/keys";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$1";
		Dir::State::lists "$1/lists";
		Dir::State::status "$1/status";
		Dir::Cache "$1/cache";
		APT::Architecture "$architecture";
		APT::Architectures { "$architecture"; };
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		$acquire
	EOF
}

# Fetches the lists of one archive into a new directory: the old ones must survive a failure.
part=$apt.part
log=$cache/log/apt-update.log
update() {
	sweep "$part"
	mkdir -p "$part/keys" "$part/lists/partial" "$part/cache/archives/partial"
	: >"$part/status"
	printf '%s\n' "$acquire" >"$part/acquire.conf"
	cp "$top/scripts/$keys" "$part/keys"
	printf "deb $1 %s main\n" "$compilers" "$kernels" | uniq >"$part/sources.list"
	conf_for "$apt" >"$part/apt.conf"
	conf_for "$part" >"$part/update.conf"
	TMPDIR=$part APT_CONFIG=$part/update.conf apt-get update >"$log" 2>&1 </dev/null
}

# Says in a sentence why apt failed for an archive.
reason() {
	if grep -qE 'Release file for .* is expired' "$1"; then
		echo "it is past its Valid-Until: a stale mirror. STALE_OK=1 accepts it"
	elif grep -qE 'NO_PUBKEY|not available|Missing key|not signed|signatures' "$1"; then
		echo "its signature cannot be verified: it is not made with the key of $suite" \
			"in scripts/$keys, so this is not Debian, or Debian has a new key"
	elif grep -qE 'does not have a Release file|404' "$1"; then
		echo "it has no $compilers or no $kernels"
	elif grep -qE 'No space left' "$1"; then
		echo "the disk of $cache is full"
	else
		echo "it cannot be reached: check the network"
	fi
}

say "asking the archive which kernels of $kernels there are"
reasons=()
for uri in $uris; do
	if update "$uri"; then
		echo "$key" >"$part/key"
		sweep "$apt"
		mv -T "$part" "$apt"
		echo "$conf"
		exit
	fi
	reasons+=("$uri: $(reason "$log").")
done
sweep "$part"

# Old lists are better than none.
if [ "$(cat "$apt/key" 2>/dev/null)" = "$key" ]; then
	say "using the lists of an earlier day: ${reasons[0]}"
	echo "$conf"
	exit
fi
die "no archive of $compilers and $kernels was found." "${reasons[@]}" \
	"MIRROR= names another archive. The last answer: $log"
