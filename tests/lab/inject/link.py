"""A network link in user space: two TUN devices, one in a network namespace, with delay, loss and rate between them.

Run as a program: link.py NAMESPACE DELAY_MS LOSS_PERCENT SEED LOG. Prints "ready"; ends with its standard input. The
host has 10.98.N.1, the namespace 10.98.N.2. Every dropped packet is logged with its time.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def device(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def ip(*words, namespace=None):
    inside = ["ip", "netns", "exec", namespace] if namespace else []
    subprocess.run([*inside, "ip", *words], check=True)


def main(namespace, delay_ms, loss_percent, seed, log):
    delay, loss, chance = float(delay_ms) / 1000, float(loss_percent) / 100, random.Random(int(seed))
    number = os.getpid() % 200 + 1
    near, far = f"tcl{number}a", f"tcl{number}b"
    ends = [device(near), device(far)]
    ip("link", "set", far, "netns", namespace)
    for name, address, where in ((near, f"10.98.{number}.1/24", None), (far, f"10.98.{number}.2/24", namespace)):
        ip("addr", "add", address, "dev", name, namespace=where)
        ip("link", "set", name, "up", namespace=where)
    print(f"10.98.{number}.1 10.98.{number}.2 {near} {far}", flush=True)
    waiting, sequence = [], 0
    with open(log, "w") as dropped:
        while True:
            timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            readable, _, _ = select.select([*ends, sys.stdin], [], [], timeout)
            if sys.stdin in readable:
                return
            for end in readable:
                while True:
                    try:
                        packet = os.read(end, 65536)
                    except BlockingIOError:
                        break
                    if packet[0] >> 4 == 4 and loss and len(packet) > 60 and chance.random() < loss:
                        dropped.write(f"{time.monotonic_ns()} {len(packet)}\n")
                        continue
                    sequence += 1
                    heapq.heappush(waiting, (time.monotonic() + delay, sequence, ends[1 - ends.index(end)], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                os.write(end, packet)


if __name__ == "__main__":
    main(*sys.argv[1:])
