#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# module.sh load: loads the modules that were built in the directory JIT_MODULE, in the guest.
# module.sh unload: unloads them.
# module.sh demo: does both, and prints what the kernel says.
# module.sh test SCRIPT: runs a script, in /module, and marks the end of its output.

set -euo pipefail

: "${1?"usage: module.sh load|unload|demo|test SCRIPT"}"
: "${JIT_MODULE?"is set by guest.sh"}"

mapfile -t modules < <(sed 's/\.o$//' "$JIT_MODULE/modules.order")

# loaded PATH
loaded() {
	local name=${1##*/}
	[ -d "/sys/module/${name//-/_}" ]
}

# needed PATH: prints the modules that it depends on, those of JIT_MODULE by their paths.
needed() {
	local name module
	for name in $(modinfo -F depends "$JIT_MODULE/$1.ko" | tr , ' '); do
		for module in "${modules[@]}"; do
			[ "$(basename "${module//-/_}")" != "${name//-/_}" ] || name=$module
		done
		echo "$name"
	done
}

# load PATH: loads a module, after those that it depends on.
load() {
	local other
	for other in $(needed "$1"); do
		loaded "$other" || load "$other"
	done
	loaded "$1" && return
	if [ ! -e "$JIT_MODULE/$1.ko" ]; then
		echo "The module $1 is needed, and the guest has no modules of the kernel." >&2
		echo 'Choose a kernel that has it built in: KERNEL=, or KDIR= for your own.' >&2
		exit 1
	fi
	insmod "$JIT_MODULE/$1.ko"
	order+=("$1")
}

load_all() {
	local module
	order=()
	for module in "${modules[@]}"; do
		loaded "$module" || load "$module"
	done
	printf '%s\n' "${order[@]}" >/run/module.order
}

unload_all() {
	local module
	for module in $(tac /run/module.order); do
		rmmod "${module##*/}"
	done
}

# said COMMAND...: runs a command, and prints what the kernel said meanwhile.
said() {
	local status=0
	dmesg -c >/dev/null
	"$@" || status=$?
	dmesg
	return "$status"
}

cd /jitasklet
case $1 in
load) load_all ;;
unload) unload_all ;;
demo)
	uname -a
	printf '\nLoading %s:\n' "${modules[*]}"
	said load_all
	printf '\nUnloading:\n'
	said unload_all
	;;
test)
	cd /module
	status=0
	if [ -x "$2" ]; then
		"$2" || status=$?
	else
		bash "$2" || status=$?
	fi
	echo '# end of suite'
	exit "$status"
	;;
esac
