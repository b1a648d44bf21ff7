# SPDX-License-Identifier: GPL-2.0
"""loads.py net|timer|block: makes work for one kind of softirq, for ever. It says a line when it is
ready, and begins when it is sent a byte.

net     packets to this machine itself; where they are received is for rps_cpus to say: NET_RX
timer   waits that the kernel ends at each tick, by a timer: TIMER
block   reads from a disk that only QEMU has, each ended by an interrupt: BLOCK
"""

import ctypes
import mmap
import os
import socket
import struct
import sys


def net():
    """A packet each. Nobody listens, which the next send tells, and which does not matter."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", 9))
    while True:
        try:
            sender.send(b"packet")
        except ConnectionRefusedError:
            pass
        yield


def timer():
    """A wait each, for what never comes."""
    waiter, _peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    waiter.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 1000))
    while True:
        try:
            waiter.recv(1)
        except BlockingIOError:
            pass
        yield


def block():
    """A sector each, past the page cache."""
    disk = os.open("/dev/nvme0n1", os.O_RDONLY | os.O_DIRECT)
    sector = mmap.mmap(-1, 512)
    while True:
        os.preadv(disk, [sector], 0)
        yield


kind = sys.argv[1]
# Otherwise its comm would be python3, or that of the loader.
with open("/proc/self/comm", "w", encoding="ascii") as comm:
    comm.write(kind)
work = {"net": net, "timer": timer, "block": block}[kind]()
for _ in range(10):
    next(work)
# Locks everything in memory (MCL_CURRENT and MCL_FUTURE): while a real-time process holds a CPU, a
# page that has yet to be read may never arrive.
if ctypes.CDLL(None).mlockall(3):
    sys.exit("loads.py: mlockall failed")
print("ready", flush=True)
os.read(0, 1)
for _ in work:
    pass
