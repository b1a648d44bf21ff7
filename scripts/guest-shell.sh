# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# guest-shell.sh: the .bashrc of the shell that 'make shell' gives in the guest.

insmod "/jitasklet/build/$(uname -r)/jitasklet.ko"
cat <<EOF

Linux $(uname -r), with the module jitasklet loaded. Try:
    cat /proc/jitasklet
    cat /proc/jitasklethi
    rmmod jitasklet; dmesg | tail
What you change here is gone when you leave: type exit, or press Ctrl-D.

EOF
PS1='guest (leave with exit): \w# '
cd /root || true
