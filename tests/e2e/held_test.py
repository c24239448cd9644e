"""Bytes that the kernel keeps back after a program has sent them, by the log of both ends; who froze a process, and who connected."""
import os
import pathlib
import subprocess
import sys
import threading
import time

import harness
from harness import Case

# Writes twice on connections that it keeps; the peer answers when it has both, and acknowledges the first late. Prints for each round
# the instants of the second write and of its arrival.
WRITES_TWICE = r"""
import socket, sys, threading, time
sys.stdin.readline()
served = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(served.getsockname())
server, _ = served.accept()
if sys.argv[1] == "nodelay":
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
arrived = []
def peer():
    while True:
        got = b""
        while len(got) < 60:
            more = server.recv(100)
            if not more:
                return
            got += more
        arrived.append(time.monotonic_ns())
        server.sendall(b"ok")
threading.Thread(target=peer, daemon=True).start()
for n in range(12):
    client.sendall(b"a" * 30)
    client.sendall(b"b" * 30)
    sent = time.monotonic_ns()
    while len(arrived) <= n:
        time.sleep(0.0005)
    print(sent, arrived[-1])
    client.recv(2)
    time.sleep(0.02)
print("end", flush=True)
sys.stdin.readline()
"""

# Sends 400 KB at once to a peer with a small buffer, which reads slowly. Prints when it had sent, and when the peer had read all.
SENDS_MUCH = r"""
import socket, sys, threading, time
sys.stdin.readline()
served = socket.create_server(("127.0.0.1", 0))
for closes in (False, True):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    client.connect(served.getsockname())
    server, _ = served.accept()
    read, go = [], threading.Event()
    def peer():
        left = 400_000
        go.wait(1)
        while left > 0:
            left -= len(client.recv(16_384))
            time.sleep(0.01)
        read.append(time.monotonic_ns())
    thread = threading.Thread(target=peer)
    thread.start()
    server.sendall(bytes(400_000))
    sent = time.monotonic_ns()
    if closes:
        server.close()
    go.set()
    thread.join()
    print(sent, read[0], flush=True)
print("end", flush=True)
sys.stdin.readline()
"""

# argv[1]: a path, or a port of TCP.
ACCEPTS = r"""
import socket, sys
where = ("127.0.0.1", int(sys.argv[1])) if sys.argv[1].isdigit() else sys.argv[1]
served = socket.create_server(where) if isinstance(where, tuple) else socket.socket(socket.AF_UNIX)
if isinstance(where, str):
    served.bind(where)
    served.listen()
while True:
    one, _ = served.accept()
    while data := one.recv(100):
        one.sendall(data)
"""
CONNECTS = r"""
import socket, sys, time
where = ("127.0.0.1", int(sys.argv[1])) if sys.argv[1].isdigit() else sys.argv[1]
with socket.socket(socket.AF_INET if isinstance(where, tuple) else socket.AF_UNIX) as s:
    s.connect(where)
    for _ in range(5):
        s.sendall(b"x")
        s.recv(1)
        time.sleep(0.05)
    print("done", flush=True)
    sys.stdin.readline()
"""


class Held(Case):
    def events_of(self, recording, *kinds):
        return [e for e in harness.json_lines(self.tailcap("events", "--json", recording.file)) if e["kind"] in kinds]

    def rounds(self, text, *arguments):
        """What the program prints, and the stalls of held bytes that were recorded."""
        program = self.start(
            [sys.executable, "-c", text, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with self.record("-p", program.pid) as recording:
            program.stdin.write("go\n")
            program.stdin.flush()
            lines = []
            while (line := program.stdout.readline().strip()) not in ("end", ""):
                lines.append(tuple(map(int, line.split())))
        program.communicate("end\n", timeout=10)
        held = [e for e in self.events_of(recording, "stall") if e["what"] in ("nagle", "undelivered")]
        return lines, held

    def test_nagle(self):
        rounds, held = self.rounds(WRITES_TWICE, "delay")
        late = [(sent, arrived) for sent, arrived in rounds if arrived - sent > 30_000_000]
        self.assertGreater(len(late), 3, rounds)
        for sent, arrived in late:
            same = [e for e in held if sent - 30_000_000 < e["began"] <= sent]
            self.assertEqual([e["what"] for e in same], ["nagle"], (sent, arrived, held))
            self.assertLessEqual(same[0]["time"], arrived)
            self.assertLess(arrived - same[0]["time"], 30_000_000)
            self.assertLess(same[0]["detail"], 20_000, "the least round trip, in us")
        self.assertEqual(len(held), len([1 for sent, arrived in rounds if arrived - sent > 10_000_000]), held)

    def test_without_nagle(self):
        rounds, held = self.rounds(WRITES_TWICE, "nodelay")
        self.assertEqual([e for e in held if e["what"] == "nagle"], [], rounds)

    def test_what_the_peer_reads_later(self):
        rounds, held = self.rounds(SENDS_MUCH)
        self.assertEqual(len(rounds), 2)
        self.assertEqual([e["what"] for e in held], ["undelivered"] * 2, held)
        self.assertEqual([e["detail"] & 0x80 for e in held], [0, 0x80])
        for (sent, read), event in zip(rounds, held):
            self.assertGreater(read - sent, 200_000_000)
            self.assertLessEqual(event["began"], sent)
            self.assertLess(sent - event["began"], 30_000_000)
            # The last bytes are sent when the peer's buffer has room for them. The end is acknowledged 200 ms later, at most.
            closed = event["detail"] & 0x80
            self.assertLess(event["time"], read + (220_000_000 if closed else 0))
            self.assertGreater(event["time"] - event["began"], (read - sent) // 2)
            self.assertGreater(event["detail"] & 0x7F, 50, "per cent: mostly the peer's window")

    def test_who_freezes_it(self):
        mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        group = pathlib.Path(next(m[1] for m in mounts if m[2] == "cgroup2")) / f"tailcap-held-{os.getpid()}"
        group.mkdir()
        program = self.start([sys.executable, "-c", "while True: pass"])
        try:
            (group / "cgroup.procs").write_text(str(program.pid))
            with self.record("-p", program.pid) as recording:
                for _ in range(3):
                    time.sleep(0.1)
                    (group / "cgroup.freeze").write_text("1")
                    time.sleep(0.2)
                    (group / "cgroup.freeze").write_text("0")
        finally:
            (group / "cgroup.freeze").write_text("0")
            program.kill()
            program.wait()
            group.rmdir()
        stops = [w for w in self.events_of(recording, "off_cpu") if w["state"] & 0x8000]
        self.assertEqual(
            [(w["argument0"], w["argument1"]) for w in stops], [(0xF4EE2E0000000000, threading.get_native_id())] * 3
        )
        for stop in stops:
            self.assertGreater(stop["time"] - stop["left"], 190_000_000)

    def test_who_connected(self):
        path = str(self.scratch / "socket")
        server = self.start([sys.executable, "-c", ACCEPTS, path])
        harness.wait_until(lambda: os.path.exists(path), "the server", 10)
        with self.record("-p", server.pid) as recording:
            client = self.start(
                [sys.executable, "-c", CONNECTS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            client.stdout.readline()
            time.sleep(0.3)
        client.communicate("end\n", timeout=10)
        sockets = [e for e in self.events_of(recording, "socket_info") if e["origin"] != "listener"]
        self.assertEqual({e["peer_pid"] for e in sockets}, {client.pid}, sockets)
        names = {e["pid"]: e["comm"] for e in self.events_of(recording, "task_info") if e["pid"] == e["tid"]}
        self.assertIn(client.pid, names)

    def test_who_had_connected(self):
        port = str(harness.free_port())
        server = self.start([sys.executable, "-c", ACCEPTS, port])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", int(port))), "the server", 10)
        client = self.start(
            [sys.executable, "-c", CONNECTS, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        client.stdout.readline()
        with self.record("-p", server.pid) as recording:
            time.sleep(0.3)
        client.communicate("end\n", timeout=10)
        existed = [e for e in self.events_of(recording, "socket_info") if e["origin"] == "existed"]
        self.assertEqual({e["peer_pid"] for e in existed}, {client.pid}, existed)


if __name__ == "__main__":
    harness.main()
