#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# report.sh LOG STATUS: prints a report about a command that has failed with STATUS: what it said,
# which is in LOG, the logs that it named, the versions of what it used, and the kernel's
# configuration. In the report are no passwords, and no names of the user's directories.
#
# From the environment, which the Makefile sets: JIT_COMMAND is the command, JIT_KERNEL its kernel,
# JIT_KDIR its KDIR.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -eq 2 ] || usage
said=$1 status=$2
cd "$top"

# title TEXT
title() {
	printf '\n==== %s ====\n\n' "$1"
}

# Prints the text of standard input, with DIR... as names, and without passwords.
scrubbed() {
	local dir script=''
	while [ $# -ge 2 ]; do
		for dir in "$1" "$(realpath -m "$1")"; do
			[ ${#dir} -ge 2 ] || continue
			dir=$(printf '%s' "$dir" | sed 's/[][\.*^$|]/\\&/g')
			script+="s|$dir|$2|g;"
		done
		shift 2
	done
	sed -E -e 's,://[^/@[:space:]]*@,://,g' |
		sed -e "$script" | sed -E -e "s,/home/[^/[:space:]:'\"]+,~,g" | tr -d '\000\r'
}

# The files that it named, as far as they are there.
named() {
	grep -oE '[^][:space:]'\''"(),]+\.(log|console|out|ktap)' "$said" | sort -u | head -n 20
}

# The options that a module, a guest and the compilers depend on.
options='RUST|RUSTC_(LLVM_)?VERSION|(RUSTC|CC|BINDGEN)_VERSION_TEXT|PAHOLE_VERSION|MODULES'
options+='|MODVERSIONS|MODULE_(SIG[A-Z_]*|UNLOAD)|PREEMPT[A-Z_]*|SMP|HZ|KASAN|PROVE_LOCKING|CFI'
options+='|DEBUG_KMEMLEAK|LTO_[A-Z_]*|RANDSTRUCT_[A-Z]*|DEBUG_INFO_BTF[A-Z_]*|FUSE_FS'
options+='|VIRTIO_(FS|PCI|CONSOLE)'

config() {
	local dir=${JIT_KERNEL-}
	[[ $dir = /* ]] || dir=build/$dir/tree/build
	grep -E "^CONFIG_($options)=" "$dir/.config" 2>/dev/null || echo 'It was not built here.'
}

versions() {
	echo "jitasklet: $(git describe --always --dirty 2>/dev/null || echo 'not from git')," \
		"version $(sed -nE 's/.*b"version=([0-9.]+).*/\1/p' jit_tasklet.rs)"
	echo "system: $(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME"), $(uname -srvm)"
	[ ! -e "$image" ] || echo 'in an image that Containerfile describes'
	for tool in bash make apt-get tar xz unshare git rustc gcc clang; do
		! command -v "$tool" >/dev/null ||
			echo "$tool: $("$tool" --version 2>&1 | head -n 1)"
	done
	echo "CPUs: $(nproc); $(grep -m 1 'model name' /proc/cpuinfo | cut -d : -f 2)"
	free -m 2>/dev/null || true
}

{
	echo "'${JIT_COMMAND:-make}' ended with $status."
	title 'what it said'
	tail -n 400 "$said"
	while read -r file; do
		[ -f "$file" ] || continue
		title "$file"
		tail -n 300 "$file"
	done < <(named)
	title versions
	versions
	title 'make doctor, without the archive'
	"$top/scripts/doctor.sh" --offline "${JIT_KDIR:-/lib/modules/$(uname -r)/build}" || true
	title "configuration of the kernel ${JIT_KERNEL-}"
	config
} 2>&1 | scrubbed "${MODULE:-/}" M "$cache" CACHE "$top" . "${HOME:-/}" '~'
