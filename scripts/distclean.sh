#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# distclean.sh: removes what the scripts keep in the cache, and nothing else that may be there.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ -d "$cache" ] || exit 0
cd "$cache"
for entry in apt apt-* root-* kernel-* source-* accel-* tmp.* *.lock log mnt; do
	sweep "$entry"
done
rmdir "$cache" 2>/dev/null || say "$cache has other files too, and stays"
