#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# accel.sh OUT: whether a guest runs with KVM. A stand-in for QEMU answers the trial, and records
# the command line for the guest.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-accel.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT
args=$top/build/${out##*/}/accel.args

# The real QEMU answers virtme-ng's questions about its version.
root=$("$top/scripts/root.sh" emulator) || exit
mkdir -p "$tmp"/{upper/usr/bin,work,dev}
cat >"$tmp/upper/usr/bin/qemu-system-x86_64" <<END
#!/bin/bash
case " \$* " in
*' -version '* | *' --version '* | *' help '*) exec /usr/bin/qemu-system-x86_64.real "\$@" ;;
*' -nodefaults '*) cat /answer ;;
*) printf '%s\n' "\$*" >/jitasklet/build/${out##*/}/accel.args ;;
esac
END
chmod +x "$tmp/upper/usr/bin/qemu-system-x86_64"
ln "$root/usr/bin/qemu-system-x86_64" "$tmp/upper/usr/bin/qemu-system-x86_64.real" 2>/dev/null ||
	cp "$root/usr/bin/qemu-system-x86_64" "$tmp/upper/usr/bin/qemu-system-x86_64.real"

# In the namespace: a /dev that has a kvm with MODE (ro, rw or none), which is a file.
machine() {
	local mode=$1 name
	shift
	mount -t overlay -o "lowerdir=$root,upperdir=$tmp/upper,workdir=$tmp/work$xattr" none \
		"$root"
	# In a sticky directory that all may write to, the shell cannot open a device of root's.
	mount -t tmpfs -o mode=755 none "$tmp/dev"
	for name in null zero full random urandom tty ptmx; do
		touch "$tmp/dev/$name"
		mount --bind "/dev/$name" "$tmp/dev/$name"
	done
	for name in pts shm; do
		mkdir "$tmp/dev/$name"
		mount --rbind "/dev/$name" "$tmp/dev/$name"
	done
	ln -s /proc/self/fd "$tmp/dev/fd"
	if [ "$mode" != none ]; then
		touch "$tmp/dev/kvm"
		mount --bind -o "$mode" "$tmp/dev/kvm" "$tmp/dev/kvm"
	fi
	mount --rbind "$tmp/dev" /dev
	exec "$@"
}
export -f machine
export root tmp
xattr=$([ "$UID" = 0 ] || echo ,userxattr)
export xattr

# boots_with MODE ANSWER LINE: with such a /dev/kvm, and a trial that ends with ANSWER, the message
# about the boot has LINE, and QEMU's command line has KVM if LINE does.
boots_with() {
	local line
	rm -f "$args"
	echo "$2" >"$tmp/upper/answer"
	line=$("${isolated[@]}" bash -euc 'machine "$@"' bash "$1" \
		"$top/scripts/guest.sh" "$out" accel 60 true 2>&1 </dev/null)
	echo "# ${line%%$'\n'*}"
	grep -qF "in QEMU ($3) ..." <<<"$line" && [ -s "$args" ] || return
	if [[ $3 = KVM* ]]; then
		grep -qE -- "$kvm" "$args"
	elif grep -E -- "$kvm" "$args"; then
		return 1
	fi
}

kvm='-enable-kvm|accel=kvm|-accel kvm|-cpu host'
lives='[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs'
dies='KVM internal error. Suberror: 1'

plan 7
mounts 'without /dev/kvm the guest is emulated' boots_with none "$lives" TCG
mounts 'with a KVM that runs guests it is used' boots_with rw "$lives" KVM
mounts 'with a KVM that kills its guests the guest is emulated, with the reason' \
	boots_with rw "$dies" 'TCG, as the guest of a trial with /dev/kvm died'
mounts 'without the right to open /dev/kvm the guest is emulated, with the reason' \
	boots_with ro "$lives" 'TCG, as this user may not open /dev/kvm: see the group kvm'
export ACCEL=tcg
mounts 'ACCEL=tcg emulates where there is a KVM' boots_with rw "$lives" TCG
export ACCEL=kvm
mounts 'ACCEL=kvm takes it without a trial' boots_with rw "$dies" KVM
export ACCEL=xen
check 'another ACCEL= is refused' fails_with 'ACCEL=xen: there is no such accelerator' \
	"$top/scripts/guest.sh" "$out" accel 60 true
end
