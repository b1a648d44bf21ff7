#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# layer.sh NAME: has the packages at hand that only some commands need, as a layer on top of the
# build root, and prints its path: what installing them changed in the root. See enter.sh.

. "${BASH_SOURCE[0]%/*}/lib.sh"

case ${1-} in
# LLVM=1 for the debug kernel, the model in tests/model/, load for the guest, and lint for Python
check) packages=(lld cargo librust-loom-dev stress-ng flake8) ;;
# the pictures of make bench and make lab
plot) packages=(python3-matplotlib) ;;
# a schema and a parser for junit.xml
junit) packages=(python3-junitparser python3-lxml) ;;
*) die "usage: layer.sh check|plot|junit" ;;
esac

root=$("$top/scripts/buildroot.sh")
layer=$cache/layer-$1-$(declare -p root packages | hash)

# dpkg installs into an overlay, whose upper half, in memory, is the layer.
install_packages() {
	APT_CONFIG=$cache/apt/apt.conf apt-get install --yes --download-only \
		--no-install-recommends -o Dir::State::status="$root/var/lib/dpkg/status" \
		-o Dir::Cache::archives="$layer.part/debs" "${packages[@]}"
	mkdir -p "$cache/mnt"
	mount -t tmpfs none "$cache/mnt"
	cd "$cache/mnt"
	mkdir upper work root
	mount -t overlay -o "lowerdir=../${root##*/},upperdir=upper,workdir=work" overlay root
	mkdir root/debs
	mount --bind "$layer.part/debs" root/debs
	mount -t proc none root/proc
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot root \
		sh -c 'dpkg --install --force-unsafe-io --path-exclude="/usr/share/doc/*" \
			--path-exclude="/usr/share/man/*" /debs/*.deb'
	umount root/debs root/proc
	rmdir root/debs
	rm -rf "$layer.part/debs"
	cp -a upper/. "$layer.part"
}

if [ ! -d "$layer" ]; then
	need_root "adding packages to the build root"
	lock "layer-$1"
fi
if [ ! -d "$layer" ]; then
	need_disk 800 "the packages ${packages[*]}"
	"$top/scripts/archive.sh" >/dev/null
	sweep "$layer.part"
	mkdir -p "$layer.part/debs/partial"
	export -f install_packages
	logged "layer-$1" "adding ${packages[*]} to the build root" \
		setpriv --pdeathsig KILL \
		unshare --mount --pid --fork --kill-child --mount-proc bash -euc "
			$(declare -p packages layer root cache)
			install_packages"
	mv -T "$layer.part" "$layer"
fi
echo "$layer"
