# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# bashrc.sh: the .bashrc of the shell that 'make shell' gives in the guest.

PS1='guest (leave with exit): \w# '
cd /jitasklet || return
if [ -n "${JIT_MODULE-}" ]; then
	bash scripts/guest/module.sh load
	cd /module || return
	cat <<-EOF

		Linux $(uname -r), with your module loaded. You are in its directory, and what
		was built of it is in \$JIT_MODULE. Try: lsmod; dmesg
		What you change here is gone when you leave: type exit, or press Ctrl-D.

	EOF
	return
fi

insmod "$JIT_BUILD/jitasklet.ko"
cat <<EOF

Linux $(uname -r), with the module jitasklet loaded. Try:
    cat /proc/jitasklet       one table; /proc/jitasklethi is the other
    watch -d cat /proc/jitasklet    the table every two seconds, with changes marked
    lab/idle.sh               an experiment: what is expected, a table, and what was seen
    lab/busy.sh               or hog, hi, pinned, two, rt, compile: the other experiments
    busybox less docs/lab.md  the handout: questions on them, and exercises
    rmmod jitasklet; insmod \$JIT_BUILD/jitasklet.ko bh=1; cat /proc/jitbh
What you change here is gone when you leave: type exit, or press Ctrl-D.

EOF
