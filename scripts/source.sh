#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# source.sh modules|kernel VERSION PACKAGE SUITE: unpacks the part of a kernel's source that is
# needed to build modules or a small kernel, and prints its path.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -eq 4 ] || usage
part=$1 version=$2 package=$3 suite=$4

# Kconfig and make read these in every folder.
keep=(Kbuild Kconfig Makefile '*/Kconfig*' '*/Makefile*' '*/Kbuild*' '*/Build*'
	'.rustfmt.toml' '.clippy.toml'
	'arch/x86/*' 'drivers/base/*' 'include/*' 'init/*' 'kernel/*' 'lib/*' 'rust/*' 'scripts/*'
	'security/*' 'tools/arch/*' 'tools/bpf/resolve_btfids/*' 'tools/build/*' 'tools/include/*'
	'tools/lib/*' 'tools/objtool/*' 'tools/scripts/*' 'samples/rust/*'
	'tools/testing/selftests/kselftest.h' 'tools/testing/selftests/proc/*')
[ "$part" != kernel ] ||
	keep+=({block,certs,crypto,fs,io_uring,ipc,mm,net,usr,virt}'/*'
		'drivers/'{acpi,block,char,clk,clocksource,firmware,idle,input,irqchip,of}'/*'
		'drivers/'{pci,platform,pnp,power,rtc,tty,virt,virtio}'/*' 'drivers/net/loopback.c')

unpack() {
	APT_CONFIG=$("$top/scripts/archive.sh" "$suite") apt-get download "$package=$version"
	dpkg-deb --fsys-tarfile "$package"_*.deb | tar -xO "./usr/src/$package.tar.xz" |
		xz -dcT0 | tar -x --strip-components=1 --wildcards "${keep[@]/#/$package/}"
	rm "$package"_*.deb
}

source=$cache/source-$version-$part-$(printf '%s\n' "${keep[@]}" | hash)

if [ ! -d "$source" ]; then
	make_cache
	lock "source-$version-$part"
fi
if [ ! -d "$source" ]; then
	"$top/scripts/archive.sh" "$suite" >/dev/null
	sweep "$source.part"
	mkdir "$source.part"
	cd "$source.part"
	logged "source-$version" "getting the part of Linux's source that builds read" unpack
	mv -T "$source.part" "$source"
fi
echo "$source"
