#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kconfig.sh KDIR: prints, as a fragment of a configuration, what the kernel of KDIR lacks for the
# guest, and for its suites of tests.
# kconfig.sh --guest KDIR: fails, with a sentence, if it lacks anything that the guest needs to run.

. "${BASH_SOURCE[0]%/*}/lib.sh"

only_guest=''
if [ "${1-}" = --guest ]; then
	only_guest=1
	shift
fi
[ $# -ge 1 ] || usage
[ -e "$1/.config" ] ||
	die "KDIR=$1 has no configuration (.config)." "Type there: make x86_64_defconfig"

# lacks FILE [SUITE]
lacks() {
	"$top/scripts/lacking.sh" "$1/.config" "$top/$2" "${@:3}"
}

missing=$(lacks "$1" scripts/guest/config)
if [ -n "$only_guest" ]; then
	[ -z "$missing" ] ||
		die "the kernel of KDIR=$1 cannot be our guest." \
			"It lacks: $(xargs <<<"${missing//=y/}")" \
			"Type: make KDIR=$1 kconfig"
	exit
fi

if [ -n "$missing" ]; then
	printf '# The guest needs:\n%s\n' "$missing"
fi
for suite in "$top"/tests/guest/*.sh; do
	suite=$(basename "$suite" .sh)
	its=$(lacks "$1" tests/guest/config "$suite")
	[ -z "$its" ] || printf '# The suite %s needs:\n%s\n' "$suite" "$its"
	missing+=$its
done
if [ -z "$missing" ]; then
	say "the kernel of KDIR=$1 has all that the guest and its suites need"
else
	say "to add these: make --silent KDIR=$1 kconfig >>$1/.config; make -C $1 olddefconfig"
fi
