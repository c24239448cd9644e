"""A name server: every name is 127.0.0.1. `name_server.py ADDRESS DELAY LOG`; says ready when it listens on UDP port 53.

Names that begin with "drop" are answered only when asked again, those with "mute" never, those with "nx" with NXDOMAIN, as those
below first.test are, those with "fail" with SERVFAIL, and those with "empty" without an address. One line of JSON per answer.
"""
import json
import socket
import struct
import sys
import threading
import time


def question(query):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += query[at] + 1
    return ".".join(labels), struct.unpack(">H", query[at + 1 : at + 3])[0], at + 5


def main():
    address, delay = sys.argv[1], float(sys.argv[2])
    log = open(sys.argv[3], "w", buffering=1)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    print("ready", flush=True)
    dropped = set()

    def answer(query, peer, arrived):
        name, kind, end = question(query)
        if name.startswith("drop") and (name, kind) not in dropped:
            dropped.add((name, kind))
            return
        if name.startswith("mute"):
            log.write(json.dumps({"name": name, "type": kind, "held_ns": None}) + "\n")
            return
        time.sleep(delay)
        code = 3 if name.startswith("nx") or name.endswith(".first.test") else 2 if name.startswith("fail") else 0
        body = query[12:end]
        if kind == 1 and code == 0 and not name.startswith("empty"):
            body += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1")
        head = struct.pack(">HHHHH", 0x8180 | code, 1, int(len(body) > end - 12), 0, 0)
        log.write(json.dumps({"name": name, "type": kind, "held_ns": time.monotonic_ns() - arrived}) + "\n")
        server.sendto(query[:2] + head + body, peer)

    while True:
        query, peer = server.recvfrom(2048)
        threading.Thread(target=answer, args=(query, peer, time.monotonic_ns()), daemon=True).start()


main()
