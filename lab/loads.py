# SPDX-License-Identifier: GPL-2.0
"""loads.py net|timer|block: makes work for one kind of softirq, for ever. Prints a line when it is
ready, and begins when it gets a byte.

net     packets to this machine itself, received on the CPUs that rps_cpus selects: NET_RX
timer   waits that a kernel timer ends at each tick: TIMER
block   reads from a disk that only QEMU has, each ended by an interrupt: BLOCK
"""

import ctypes
import mmap
import os
import socket
import struct
import sys


def net():
    """Sends a packet in each step. Nobody listens, so the next send may fail, which is harmless."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", 9))
    while True:
        try:
            sender.send(b"packet")
        except ConnectionRefusedError:
            pass
        yield


def timer():
    """Waits in each step for a message that never comes."""
    waiter, _peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    waiter.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 1000))
    while True:
        try:
            waiter.recv(1)
        except BlockingIOError:
            pass
        yield


def block():
    """Reads a sector in each step, without the page cache."""
    disk = os.open("/dev/nvme0n1", os.O_RDONLY | os.O_DIRECT)
    sector = mmap.mmap(-1, 512)
    while True:
        os.preadv(disk, [sector], 0)
        yield


kind = sys.argv[1]
# Otherwise the comm would be python3, or that of the dynamic linker.
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
