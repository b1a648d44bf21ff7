#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernels.sh list: lists the kernels that KERNEL= and KVER= can choose.
# kernels.sh resolve KERNEL [KVER]: prints one of them:
#     FLAVOUR RELEASE PACKAGE-VERSION IMAGE-PACKAGE SOURCE-PACKAGE
#
# These are the kernels of the suite in debian.sh whose image, headers and source are in the archive
# in the same version. The default is the kernel that linux-image-FLAVOUR depends on today.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

[ $# -ge 1 ] || usage

[ "$(uname -m)" = x86_64 ] ||
	die "this machine is $(uname -m)." "Use an x86-64 machine; no other was tried."

APT_CONFIG=$("$top/scripts/archive.sh")
export APT_CONFIG

# Lines of FLAVOUR RELEASE PACKAGE-VERSION IMAGE-PACKAGE SOURCE-PACKAGE DEFAULT?, oldest first.
read_lists() {
	apt-get indextargets --format '$(FILENAME)' \
		'Created-By: Packages' "Release: $kernels_suite" |
		xargs /usr/lib/apt/apt-helper cat-file |
		awk -v arch="$architecture" '
		function end_of_package(release) {
			if (sub(/^linux-headers-/, "", package) && package ~ "^[0-9].*-" arch "$")
				headers[package] = version
			else if (sub(/^linux-binary-unsigned-/, "", package))
				unsigned[package] = version
			else if (sub(/^linux-binary-/, "", package))
				signed[package] = version
			else if (package ~ /^linux-source-[0-9]/)
				source[version] = package
			else if (package ~ "^linux-image-([a-z]+-)?" arch "$" &&
				 match(depends, /linux-image-[0-9][^ ,]*/))
				latest[substr(depends, RSTART + 12, RLENGTH - 12)] = 1
			package = version = depends = ""
		}
		/^Package: / { package = $2 }
		/^Version: / { version = $2 }
		/^Depends: / { depends = $0 }
		/^$/ { end_of_package() }
		END {
			end_of_package()
			for (r in headers) {
				v = headers[r]
				image = ""
				if (unsigned[r] == v)
					image = "linux-binary-unsigned-" r
				if (signed[r] == v)
					image = "linux-binary-" r
				if (image != "" && (v in source))
					print r, v, image, source[v],
						(r in latest) ? "default" : "-"
			}
		}' |
		while read -r release rest; do
			echo "$(flavour_of "$release") $release $rest"
		done | sort -k1,1 -k2,2V
}

# The same, cached beside the archive's lists, which are megabytes to read.
available() {
	local kept
	kept=${APT_CONFIG%/*}/kernels-$(declare -f read_lists | hash)
	[ -e "$kept" ] || {
		read_lists >"$kept.$$"
		mv "$kept.$$" "$kept"
	}
	cat "$kept"
}

resolve() {
	local kernel=$1 kver=${2-} found flavour=$1

	found=$(available)
	[ -n "$found" ] ||
		die "the archive has no kernel with image, headers and source of one version."
	if [[ " ${flavours[*]} " = *" $kernel "* ]]; then
		found=$(awk -v f="$flavour" '$1 == f' <<<"$found")
		if [ -n "$kver" ]; then
			found=$(awk -v v="$kver" 'index($2, v ".") == 1 || index($2, v "+") == 1' \
				<<<"$found" | tail -n 1)
			[ -n "$found" ] ||
				die "KVER=$kver: there is no such version of the $flavour kernel." \
					"'make kernels' lists what there is."
		else
			found=$(awk '$6 == "default"' <<<"$found")
			[ -n "$found" ] ||
				die "the archive lacks packages of the newest $flavour kernel." \
					"'make kernels' lists others: choose one with KVER=."
		fi
	else
		[ -z "$kver" ] ||
			die "KVER=$kver does not go with KERNEL=RELEASE." \
				"Leave one of them out."
		found=$(awk -v r="$kernel" '$2 == r' <<<"$found")
		[ -n "$found" ] ||
			die "KERNEL=$kernel: there is no such kernel to build for." \
				"'make kernels' lists what there is. Kernels no longer in" \
				"the archive, or built without Rust, are unsupported."
	fi
	cut -d ' ' -f 1-5 <<<"$found"
}

case ${1-} in
list)
	available | awk '
		BEGIN { printf "%-9s %-8s %s\n", "KERNEL=", "KVER=", "or KERNEL=" }
		{
			split($2, part, "+")
			note = $6 == "default" ? "default" : ""
			if ($4 ~ /unsigned/)
				note = note (note == "" ? "" : ", ") "image not signed"
			printf "%-9s %-8s %-28s %s\n", $1, part[1], $2, note
		}
		END {
			printf "%-9s %-8s %-28s %s\n", "debug", "", "",
				"built here, from the source of cloud"
		}' | sed 's/ *$//'
	;;
resolve)
	shift
	[ $# -ge 1 ] || usage
	resolve "$@"
	;;
*)
	usage
	;;
esac
