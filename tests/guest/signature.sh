#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# signature.sh BUILD: which modules a kernel loads that was booted with module.sig_enforce=1, in the
# guest. A kernel built here trusts the key that its build made; there is no such key for Debian's
# kernels.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

ko=${1?"usage: signature.sh BUILD"}/jitasklet.ko
key=/kernel/build/certs/signing_key.pem
tmp=$(mktemp -d)

# signed KEY CERTIFICATE NAME
signed() {
	local hash
	hash=$(sed -nE 's/^CONFIG_MODULE_SIG_HASH="(.*)"/\1/p' /kernel/build/.config) || return
	/kernel/build/scripts/sign-file "$hash" "$1" "$2" "$ko" "$tmp/$3.ko"
}

enforced() {
	grep -qw 'module\.sig_enforce=1' /proc/cmdline &&
		[ "$(</sys/module/module/parameters/sig_enforce)" = Y ]
}

# refused MODULE [REASON]: the kernel refuses the module for want of a trusted signature, or for
# REASON.
refused() {
	fails_with 'Key was rejected by service' insmod "$1" && [ ! -e /proc/jitasklet ] || return
	[ "$(dmesg | sed -nE 's/.*Loading of (.*) is rejected/\1/p')" = "${2-}" ]
}

unsigned() {
	! grep -q 'Module signature appended' "$ko" && refused "$ko" 'unsigned module'
}

# As in README.md, but nobody enrols the key.
unknown_key() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=jitasklet/' \
		-keyout "$tmp/MOK.key" -outform DER -out "$tmp/MOK.der" 2>/dev/null &&
		signed "$tmp/MOK.key" "$tmp/MOK.der" unknown || return
	[ "$(modinfo -F signer "$tmp/unknown.ko")" = jitasklet ] &&
		refused "$tmp/unknown.ko" 'module with unavailable key'
}

trusted() {
	signed "$key" "$key" trusted && insmod "$tmp/trusted.ko" &&
		"$1" /proc/jitasklet many 5 && "$1" /proc/jitasklethi many 5 && rmmod jitasklet
}

# One letter of the description is changed. The kernel refuses that even if it enforces nothing.
altered() {
	cp "$tmp/trusted.ko" "$tmp/altered.ko" || return
	sed -i 's/description=LDD3/description=LDD4/' "$tmp/altered.ko" &&
		[ "$(cmp -l "$tmp/trusted.ko" "$tmp/altered.ko" | grep -c .)" = 1 ] &&
		refused "$tmp/altered.ko"
}

plan 5
check 'the kernel was booted with module.sig_enforce=1' enforced
check 'an unsigned module is refused' unsigned
check 'a module signed with a key that the kernel does not know is refused' unknown_key
names=('a module signed with a key that the kernel trusts loads and works'
	'a module altered after it was signed is refused')
if [ -e "$key" ]; then
	check "${names[0]}" trusted "$1/tests/reader"
	check "${names[1]}" altered
else
	skip "${names[0]}" 'no key that the kernel trusts is here'
	skip "${names[1]}" 'no key that the kernel trusts is here'
fi
end
