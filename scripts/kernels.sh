#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernels.sh list: lists the kernels that KERNEL=, KVER= and SUITE= can choose.
# kernels.sh resolve KERNEL [KVER]: prints one of them:
#     FLAVOUR RELEASE PACKAGE-VERSION IMAGE-PACKAGE SOURCE-PACKAGE SUITE GCC-PACKAGE
# kernels.sh all: prints a line as above for each, with DEFAULT or - at its end.
# The variable SUITE names one of the suites in debian.sh. By default a flavour is looked for in
# the first of them, and a release in all.
#
# These are the kernels whose image, headers and source are in the archive in the same version. The
# default is the kernel that linux-image-FLAVOUR depends on today.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"

[ $# -ge 1 ] || usage

[ "$(uname -m)" = x86_64 ] ||
	die "this machine is $(uname -m)." "Use an x86-64 machine; no other was tried."

case " ${suites[*]} " in
*" ${SUITE:-${suites[0]}} "*) ;;
*) die "SUITE=$SUITE: there is no such suite with Rust kernels." \
	"Type one of: ${suites[*]}" ;;
esac

# read_lists SUITE: prints lines as above, oldest first, with DEFAULT or - at their end.
read_lists() {
	apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages' "Release: $1" |
		xargs /usr/lib/apt/apt-helper cat-file |
		awk -v arch="$architecture" -v suite="$1" '
		function end_of_package(release) {
			if (sub(/^linux-headers-/, "", package) &&
			    package ~ "^[0-9].*-" arch "$") {
				headers[package] = version
				match(depends, /gcc-[0-9]+/)
				gcc[package] = substr(depends, RSTART, RLENGTH)
			}
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
					print r, v, image, source[v], suite, gcc[r],
						(r in latest) ? "default" : "-"
			}
		}' |
		while read -r release rest; do
			echo "$(flavour_of "$release") $release $rest"
		done | sort -k1,1 -k2,2V
}

# available SUITE: the same, cached beside the archive's lists, which are megabytes to read.
available() {
	local kept
	# Where the caller takes a failure, as kernels_of does, -e has no effect in here.
	APT_CONFIG=$("$top/scripts/archive.sh" "$1") || return
	export APT_CONFIG
	kept=${APT_CONFIG%/*}/kernels-$(declare -f read_lists | hash)
	[ -e "$kept" ] || {
		read_lists "$1" >"$kept.$$" && mv "$kept.$$" "$kept" || return
	}
	cat "$kept"
}

# kernels_of SUITE: the same, but an archive need not have the suites after the first.
kernels_of() {
	if [ "$1" = "${SUITE:-${suites[0]}}" ]; then
		available "$1"
	else
		(available "$1") 2>"$cache/log/$1.log" ||
			say "the kernels of $1 are unknown: see $cache/log/$1.log"
	fi
}

all() {
	local suite
	for suite in ${SUITE:-"${suites[@]}"}; do
		kernels_of "$suite"
	done
}

resolve() {
	local kernel=$1 kver=${2-} found suite=${SUITE:-${suites[0]}}

	if [[ " ${flavours[*]} " = *" $kernel "* ]]; then
		found=$(available "$suite" | awk -v f="$kernel" '$1 == f')
		[ -n "$found" ] ||
			die "$suite has no $kernel kernel whose image, headers and source agree." \
				"'make kernels' lists what there is."
		if [ -n "$kver" ]; then
			found=$(awk -v v="$kver" '
				{ of = $3; sub(/-[^-]*$/, "", of) }
				of == v || index(of, v ".") == 1 || index(of, v "~") == 1' \
				<<<"$found" | tail -n 1)
			[ -n "$found" ] ||
				die "KVER=$kver: $suite has no such version of $kernel." \
					"'make kernels' lists what there is."
		else
			found=$(awk '$8 == "default"' <<<"$found")
			[ -n "$found" ] ||
				die "$suite lacks packages of the newest $kernel kernel." \
					"'make kernels' lists others: choose one with KVER=."
		fi
	else
		[ -z "$kver" ] ||
			die "KVER=$kver does not go with KERNEL=RELEASE." \
				"Leave one of them out."
		for suite in ${SUITE:-"${suites[@]}"}; do
			found=$(kernels_of "$suite" | awk -v r="$kernel" '$2 == r')
			[ -z "$found" ] || break
		done
		[ -n "$found" ] ||
			die "KERNEL=$kernel: there is no such kernel to build for." \
				"'make kernels' lists what there is. Kernels no longer in" \
				"the archive, or built without Rust, are unsupported."
	fi
	cut -d ' ' -f 1-7 <<<"$found"
}

case ${1-} in
list)
	all | awk '
		BEGIN {
			format = "%-9s %-8s %-17s %-28s %-7s %s\n"
			printf format, "KERNEL=", "KVER=", "SUITE=", "or KERNEL=", "gcc", ""
		}
		{
			split($3, part, /[-~]/)
			note = $8 == "default" ? "default" : ""
			if ($4 ~ /unsigned/)
				note = note (note == "" ? "" : ", ") "image not signed"
			printf format, $1, part[1], $6, $2, $7, note
		}
		END { printf format, "debug", "", "", "built here, as cloud", "", "" }
	' | sed 's/ *$//'
	;;
all) all ;;
resolve)
	shift
	[ $# -ge 1 ] || usage
	resolve "$@"
	;;
*)
	usage
	;;
esac
