#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doctor.sh [--offline] KDIR: prints what this machine, and the kernel of the build directory KDIR,
# have of what the commands need and, if something is missing, what brings it. Changes nothing.
#
# Succeeds if one of the ways to the tables is open, and says which: a guest with one of Debian's
# kernels, a guest with the kernel of KDIR, or a module for that kernel.

. "${BASH_SOURCE[0]%/*}/lib.sh"
. "$top/scripts/debian.sh"
. "$top/scripts/compilers.sh"

offline=''
if [ "${1-}" = --offline ]; then
	offline=1
	shift
fi
[ $# -ge 1 ] || usage
kdir=$1

# brings PACKAGE: prints the command that installs a package: headers, or one that has the same
# name everywhere.
brings() {
	local release headers install
	release=$(uname -r)
	case $(. /etc/os-release 2>/dev/null && echo "${ID-} ${ID_LIKE-}") in
	*ubuntu*)
		install='apt-get install'
		headers="linux-headers-$release linux-lib-rust-$release"
		;;
	*debian*) install='apt-get install' headers=linux-headers-$release ;;
	*fedora*) install='dnf install' headers=kernel-devel ;;
	*arch*) install='pacman -S' headers=linux-headers ;;
	*) install='install, in the way of your distribution:' headers="headers of $release" ;;
	esac
	echo "Type: $install ${1/headers/$headers}"
}

# line MARK TEXT [MEND...]: prints a finding. NO is in the way; -- is not.
line() {
	printf '  %-3s %s\n' "$1" "$2"
	[ $# -eq 2 ] || printf '        %s\n' "${@:3}"
}

# passes TEXT COMMAND...: prints TEXT, or what the command says when it fails.
passes() {
	local said
	if said=$("${@:2}" 2>&1); then
		line ok "$1"
	else
		said=$(sed 's/^jitasklet: error: //; s/^ *//' <<<"$said")
		mapfile -t said <<<"$said"
		line NO "${said[@]}"
		return 1
	fi
}

# The part of the machine that guests need.

right_machine() {
	[ "$(uname -m)" = x86_64 ] ||
		die "this machine is $(uname -m)." "Use an x86-64 machine; no other was tried."
}

tools() {
	need apt-get apt
	need dpkg-deb dpkg
	need xz xz-utils
	need unshare util-linux
	need umount mount
	need setpriv util-linux
}

# The cache, or the directory that it will be made in.
there=$cache
while [ ! -d "$there" ]; do
	there=$(dirname "$there")
done

good_cache() {
	[ -w "$there" ] || die "the cache directory $cache cannot be made." \
		"Set JIT_CACHE to a directory that you can write to."
	local_cache "$there"
}

room() {
	local mib=2500
	! compgen -G "$cache/root-emulator-*" >/dev/null || mib=500
	cache=$there
	need_disk "$mib" "a first 'make demo'"
}

# The lists that are there, or else an archive that has the kernels' suite.
archive() {
	local uri uris mirror='set MIRROR= to the address of a Debian archive.'
	[ ! -e "$cache/apt/key" ] || return 0
	uris=$(archives | xargs)
	[ -n "$uris" ] || die "the host's apt has no sources." "${mirror^}"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	for uri in $uris; do
		uri=${uri%/} uri=${uri/#file:/copy:}/dists/${suites[0]}/InRelease
		! env -u APT_CONFIG /usr/lib/apt/apt-helper -o APT::Sandbox::User=root \
			-o Acquire::Retries=0 -o Acquire::http::Timeout=10 \
			download-file "$uri" "$tmp/Release" >/dev/null 2>&1 || return 0
	done
	die "no archive that has ${suites[0]} can be reached: $uris" "Check the network, or $mirror"
}

kvm() {
	local verdict
	if [ ! -e /dev/kvm ]; then
		line -- 'no /dev/kvm: guests are emulated, which is slower'
	elif [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		line -- 'this user may not open /dev/kvm: guests are emulated, which is slower' \
			"Type: sudo adduser $(id -un) kvm, and log in again"
	else
		verdict=$(cat "$cache/accel-$(cat /proc/sys/kernel/random/boot_id)"-* 2>/dev/null |
			tail -n 1) || true
		case $verdict in
		tcg*) line -- "/dev/kvm, but guests are emulated (${verdict#tcg, })" ;;
		kvm) line ok '/dev/kvm, which runs a guest' ;;
		*) line ok '/dev/kvm, which the first guest tries' ;;
		esac
	fi
}

# The kernel of KDIR.

config() {
	sed -nE "s/^CONFIG_$1=\"?([^\"]*)\"?\$/\\1/p" "$kdir/.config" \
		"$kdir/include/config/auto.conf" 2>/dev/null | head -n 1 || true
}

# mine COMMAND: the version of a compiler of the host.
mine() {
	"$1" --version 2>/dev/null | head -n 1 || true
}

compilers() {
	local cc rustc
	rustc=$(config RUSTC_VERSION_TEXT) cc=$(config CC_VERSION_TEXT)
	line "$([ "$(mine "${RUSTC:-rustc}")" = "$rustc" ] && echo ok || echo NO)" \
		"rustc: the kernel's is '$rustc', this machine's is '$(mine "${RUSTC:-rustc}")'"
	cc=${cc%% *}
	if command -v "${cc:-gcc}" >/dev/null; then
		line ok "C: $(mine "${cc:-gcc}")"
	else
		line NO "C: there is no ${cc:-gcc}" "$(brings "${cc##*-linux-gnu-}")"
	fi
	if command -v bindgen >/dev/null; then
		line ok "bindgen: $(mine bindgen)"
	else
		line -- "no bindgen, which only a kernel's 'make prepare' needs" "$(brings bindgen)"
	fi
}

symvers() {
	if [ -s "$kdir/Module.symvers" ]; then
		line ok 'Module.symvers'
	else
		line -- 'no Module.symvers: only insmod finds out which symbols the kernel lacks'
	fi
}

btf() {
	if [ "$(config DEBUG_INFO_BTF_MODULES)" != y ]; then
		line ok 'BTF: this kernel has none for modules'
	elif [ ! -e "$kdir/vmlinux" ]; then
		line -- 'BTF: no vmlinux there, so modules have none; they load all the same'
	elif command -v pahole >/dev/null; then
		line ok 'BTF: vmlinux and pahole'
	else
		line -- "BTF: no pahole, so the build stops" "$(brings dwarves)"
	fi
}

signing() {
	if [ "$(config MODULE_SIG)" != y ]; then
		line ok 'signatures: this kernel checks none'
	elif [ -e "$kdir/certs/signing_key.pem" ]; then
		line ok "signatures: the kernel's own key is there, for 'make modules_install'"
	else
		line -- "signatures: the kernel's own key is not there, so modules are not signed"
	fi
}

# What the running kernel wants of modules.
loading() {
	local file=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c why=''
	[ "$(tail -c 1 "$file" 2>/dev/null | od -An -tu1 | tr -d ' ')" != 1 ] ||
		why='Secure Boot is on'
	[ "$(cat /sys/module/module/parameters/sig_enforce 2>/dev/null)" != Y ] ||
		why=${why:-module.sig_enforce is set}
	! grep -qE '\[(integrity|confidentiality)\]' /sys/kernel/security/lockdown 2>/dev/null ||
		why=${why:-the kernel is locked down}
	if [ -n "$why" ]; then
		line -- "$why: this machine's kernel loads signed modules only" \
			'README.md says how to sign one: "On your own kernel"'
	else
		line ok "this machine's kernel loads unsigned modules"
	fi
}

built_here() {
	[ -s "$kdir/arch/x86/boot/bzImage" ] ||
		die "no arch/x86/boot/bzImage: it cannot be the guest's kernel." \
			"That is only in a directory in which a kernel was built."
	"$top/scripts/kconfig.sh" --guest "$kdir"
}

guests=ok module=ok own=ok
echo 'Guests, on this machine:'
passes x86-64 right_machine || guests=''
passes 'apt, xz, unshare' tools || guests=''
passes 'mounts in a namespace of their own' need_namespaces 'a guest' || guests=''
passes "a cache: $cache" good_cache || guests=''
mib=$(df --output=avail -BM "$there" | tail -n 1 | tr -dc 0-9)
passes "room for it: $mib MiB" room || guests=''
if [ -n "$offline" ]; then
	line -- 'the archive was not asked'
else
	passes "an archive, or its lists" archive || guests=''
fi
kvm

printf '\nA module for the kernel of %s:\n' "$kdir"
release=$(cat "$kdir/include/config/kernel.release" 2>/dev/null || true)
passes "Linux $release, with Rust metadata" "$top/scripts/check-kdir.sh" "$kdir" || module=''
[ -e "$kdir/Makefile" ] || line -- 'no headers there' "$(brings headers)"
if [ -e "$kdir/.config" ] || [ -e "$kdir/include/config/auto.conf" ]; then
	compilers
	symvers
	btf
	signing
fi
passes 'its image can be a guest' built_here || own=''
own=${guests:+${module:+$own}}
loading

printf '\nThe ways to the tables:\n'
line "${guests:-NO}" 'make demo'
line "${own:-NO}" "make demo KDIR=$kdir"
line "${module:-NO}" "make KDIR=$kdir; sudo insmod jitasklet.ko"
[ -n "$guests$module" ]
