#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo.sh KERNEL [KVER]: builds the module, boots its kernel, and prints both tables: from an idle
# machine, and from an experiment of the lab, whose result is judged as in the lab.

. "${BASH_SOURCE[0]%/*}/lib.sh"

[ $# -ge 1 ] || usage
need_namespaces "booting a guest"

# On the first run, the roots for the guest are made in the background while the module is built.
making=()
for root in emulator guest; do
	[ -d "$("$top/scripts/root.sh" "$root" path)" ] || {
		make_cache
		need_disk 2500 "the demo"
		"$top/scripts/archive.sh" >/dev/null
		beside nice "$top/scripts/root.sh" "$root" >/dev/null
		making+=($!)
	}
done
out=$("$top/scripts/build.sh" "$@")
[ ${#making[@]} -eq 0 ] || wait "${making[@]}"

demo=$out/demo
rm -rf "$demo"
mkdir "$demo"
build=build/${out##*/}
"$top/scripts/guest.sh" "$out" demo 600 bash scripts/guest/tables.sh "$build/jitasklet.ko" |
	while IFS= read -r line; do
		case $line in
		'data: '*) exec >"$demo/${line#data: }.trace" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
cd "$demo"
traces=(*.trace)
exec "$top/scripts/enter.sh" --guest guest "$out/tree" \
	python3 -B /guest/jitasklet/lab/observe.py --demo \
	"/guest/jitasklet/$build/demo/${traces[0]}" </dev/null
