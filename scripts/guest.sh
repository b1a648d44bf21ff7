#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh OUT NAME SECONDS COMMAND...: boots the kernel of the build directory OUT in QEMU, runs
# COMMAND there, in the checkout at /jitasklet, and exits with its status. What it prints goes to
# standard output and to OUT/NAME.out, the kernel's console to OUT/NAME.console.
# guest.sh OUT: boots it with an interactive shell.
# Options, before OUT:
#     --load                a disk, and the packages of the layer load, for tests under load
#     --edu                 three of QEMU's devices edu, for samples/jit_edu.rs: see boot.sh
#     --icount              one CPU, whose clock counts instructions: see boot.sh
#     --speed fast|slow     simulates a faster or slower machine; so does the variable SPEED
#     --its                 an emulated CPU with ITS (Indirect Target Selection), and no retpolines:
#                           indirect calls of a module go through thunks that are freed before it is
#     --append PARAMETERS   parameters for the kernel
# The variable ACCEL=tcg or kvm says what runs the guest; else KVM does where it works. If MODULE
# names the directory of somebody else's module, the guest sees it as /module, and what was built of
# it in the directory that the guest's variable JIT_MODULE names.
#
# A guest that dies, does not finish within SECONDS, or prints a splat fails, whatever COMMAND says.

. "${BASH_SOURCE[0]%/*}/lib.sh"

root=guest options=() icount='' its='' speed=${SPEED-}
while [[ ${1-} = --* ]]; do
	case $1 in
	--load) root=load options+=(--disk) ;;
	--edu) options+=(--edu) ;;
	--icount) icount=1 options+=(--icount) ;;
	--speed) speed=$2 && shift ;;
	--its) its=1 ;;
	--append) options+=(--append "$2") && shift ;;
	*) die "guest.sh: there is no option $1." ;;
	esac
	shift
done
[ $# -ge 1 ] || usage
out=$(realpath "$1")
release=${out##*/} linux=${out##*/}
if [ -e "$out/tree/host" ]; then
	linux="$(<"$out/tree/build/include/config/kernel.release") ($release)"
fi
grep -q '^CONFIG_VIRTIO_FS=y' "$out/tree/build/.config" || options+=(--9p)
[ -z "${MODULE-}" ] ||
	options+=(--append "JIT_MODULE=/jitasklet/build/$release/m/${MODULE##*/}")
name=${2-shell} seconds=${3-0}
shift $(($# < 3 ? $# : 3))
console=$out/$name.console
# Where the emulator sees the checkout.
seen=/guest/jitasklet

# The limits guard against hangs, and must not fail a slow machine.
case $speed in
fast) [ -n "$icount" ] || { icount=1 && options+=(--speed=fast); } ;;
slow) [ -n "$icount" ] || { seconds=$((10 * seconds)) && options+=(--speed=slow); } ;;
'') ;;
*) die "SPEED=$speed: there is no such speed. Set it to fast or slow, or leave it empty." ;;
esac

in_root() {
	"$top/scripts/enter.sh" --guest "$root" "$out/tree" "$@"
}

# Prints what runs the guest, and why not KVM if /dev/kvm is there. Whether a guest survives with
# KVM is tried once after each boot of this machine, for this user and this device.
accelerator() {
	local boot verdict
	case ${ACCEL-} in
	tcg | kvm) echo "$ACCEL" && return ;;
	'') ;;
	*) die "ACCEL=$ACCEL: there is no such accelerator." "Type: ACCEL=kvm or ACCEL=tcg." ;;
	esac
	if [ ! -e /dev/kvm ]; then
		echo tcg
	elif [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		echo "tcg, as this user may not open /dev/kvm: see the group kvm"
	else
		boot=$(cat /proc/sys/kernel/random/boot_id)
		verdict=$cache/accel-$boot-$(stat -c %i-%.9Z /dev/kvm)
		if [ ! -e "$verdict" ]; then
			find "$cache" -maxdepth 1 -name 'accel-*' ! -name "accel-$boot-*" -delete
			echo 'tcg, as the guest of a trial with /dev/kvm died' >"$verdict.$$"
			! in_root "$seen/scripts/emulator/probe-kvm.sh" \
				"$seen/build/$release/vmlinuz" ||
				echo kvm >"$verdict.$$"
			mv "$verdict.$$" "$verdict"
		fi
		cat "$verdict"
	fi
}

# Only emulation can count instructions.
why=tcg
[ -n "$icount" ] || why=$(accelerator)
accel=${why%%,*}
why=${why/#"$accel"/${accel^^}}
[ -z "$its" ] || [ "$accel" = kvm ] || options+=(--append
	'setcpuid=ibrs_enhanced spectre_v2=eibrs indirect_target_selection=force')
boot=("$seen/scripts/emulator/boot.sh" "${options[@]}" "$accel" "$seen/build/$release/vmlinuz"
	"$seconds")

if [ $# -eq 0 ]; then
	say "booting Linux $linux in QEMU ($why); type dmesg there for its log ..."
	in_root "${boot[@]}" 2>"$console" && exit
	tail -n 15 "$console" >&2
	die "the guest failed." "Its console: $console"
fi

say "booting Linux $linux in QEMU ($why${speed:+, SPEED=$speed}) ..."
for try in 1 2 3; do
	status=0
	# The console and the output are pipes, because QEMU would truncate files.
	{ in_root "${boot[@]}" "$@" </dev/null 2>&3 | tee "$out/$name.out"; } \
		3> >(exec cat >"$console") || status=$?
	grep -q 'failed to start virtiofsd' "$console" || break
	say "virtiofsd, which serves the guest's files, did not start in time (try $try of 3)"
done

indented() {
	sed 's/^/    | /' >&2
}

splats=$("$top/scripts/splats.sh" "$console")
if grep -q 'failed to start virtiofsd' "$console"; then
	die "the guest did not start: virtiofsd was too slow three times." \
		"If the machine is very busy, try again later. The guest's console: $console"
elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
	tail -n 15 "$console" | indented
	die "the guest did not finish within $seconds s, and was stopped." "Its console: $console"
elif [ "$status" -eq 255 ] || ! grep -q "jitasklet: the guest's command ended" "$console"; then
	grep -A 12 -m 1 -E 'Kernel panic|BUG:|Oops' "$console" | indented ||
		tail -n 15 "$console" | indented
	die "the guest crashed." "Its console: $console"
elif [ -n "$splats" ]; then
	indented <<<"$splats"
	die "the guest's kernel reported a problem: see above." "Its console: $console"
elif [ "$status" -ne 0 ]; then
	say "the guest's command failed (exit $status). The kernel's console: $console"
fi
exit "$status"
