"""A server that keeps every byte that it receives, and clients that keep every byte that they send.

inject_peer.py serve PORT FOLDER [slow]     keeps FOLDER/CLIENT.in of each connection, and answers its requests; slow: reads a
                                            little at a time
inject_peer.py call PORT FOLDER ROUNDS CASE...
                                            waits for a line, makes the connections of each case, keeps FOLDER/CLIENT.out, and says
                                            in FOLDER/CASE.json which connections they were and how many of their requests are to have
                                            ids, in order: 1 or 0. ROUNDS: `once`, or `again` until there is FOLDER/stop
"""
import json
import os
import pathlib
import random
import socket
import sys
import tempfile
import threading
import time

LIKE_A_REQUEST = b"GET /not-a-request HTTP/1.1\r\nHost: body\r\n\r\n"
OWN_IDS = (
    b"traceparent: 00-%032x-%016x-01" % (7, 9),
    b"X-REQUEST-ID: own",
    b"x-request-id:own",
    b"B3: 0",
    b"TraceParent: x",
)


def name_of(address):
    return f"{address[0]}-{address[1]}"


# The server


class Reader:
    """Reads a connection as HTTP, and keeps all of it."""

    def __init__(self, connection, file, slow):
        self.connection, self.file, self.slow, self.held = connection, file, slow, b""

    def more(self):
        if self.slow:
            time.sleep(0.0005)
        got = self.connection.recv(3000 if self.slow else 1 << 16)
        self.file.write(got)
        self.held += got
        return bool(got)

    def until(self, mark):
        while mark not in self.held:
            if not self.more():
                return None
        at = self.held.index(mark) + len(mark)
        out, self.held = self.held[:at], self.held[at:]
        return out

    def skip(self, count):
        while len(self.held) < count:
            count -= len(self.held)
            self.held = b""
            if not self.more():
                return False
        self.held = self.held[count:]
        return True

    def body(self, fields):
        if fields.get("transfer-encoding") == "chunked":
            while True:
                line = self.until(b"\r\n")
                if line is None:
                    return False
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    while (line := self.until(b"\r\n")) not in (b"\r\n", None):
                        pass
                    return line is not None
                if not self.skip(size + 2):
                    return False
        return self.skip(int(fields.get("content-length", 0)))


def answer(connection, folder, slow):
    name = folder / f"{name_of(connection.getpeername())}.in"
    with open(name, "wb") as file:
        reader = Reader(connection, file, slow)
        try:
            while (head := reader.until(b"\r\n\r\n")) is not None:
                lines = head.decode("latin-1").split("\r\n")
                fields = {
                    k.lower(): v.strip().lower() for k, _, v in (line.partition(":") for line in lines[1:] if line)
                }
                if fields.get("expect") == "100-continue":
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                if "upgrade" in fields or lines[0].startswith("CONNECT"):
                    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                    break
                if not reader.body(fields):
                    break
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (ValueError, OSError):  # what is no HTTP is kept, too
            pass
        try:
            while reader.more():
                reader.held = b""
        except OSError:
            pass
    name.rename(name.with_suffix(".whole"))
    connection.close()


def serve(port, folder, slow):
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    if slow:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, folder, slow), daemon=True).start()


# The clients


class Connection:
    def __init__(self, port, folder, wanted):
        chance = random.SystemRandom()  # no two connections have one name
        source = f"127.{chance.randrange(1, 255)}.{chance.randrange(255)}.{chance.randrange(1, 255)}"
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, NODELAY)
        self.name = name_of(self.socket.getsockname())
        self.file = open(folder / f"{self.name}.out", "wb")
        self.wanted = wanted
        self.ids = []
        self.held = b""
        wanted.append((self.name, self.ids))

    def send(self, data):
        self.socket.sendall(data)
        self.file.write(data)

    def request(self, data, ids=1, wait=True):
        self.ids.append(ids)
        self.send(data)
        if wait:
            self.answers(1)

    def answers(self, count, mark=b"\r\n\r\nok"):
        while self.held.count(mark) < count:
            got = self.socket.recv(1 << 16)
            assert got, "the server closed the connection"
            self.held += got
        self.held = self.held.split(mark, count)[count]

    def close(self):
        self.socket.shutdown(socket.SHUT_WR)
        while self.socket.recv(1 << 16):
            pass
        self.socket.close()
        self.file.close()


def get(path="/", *fields, method=b"GET", version=b"1.1"):
    return b"\r\n".join([method + b" %s HTTP/%s" % (path.encode(), version), b"Host: here", *fields, b"", b""])


def post(body, *fields):
    return get("/post", b"Content-Length: %d" % len(body), *fields, method=b"POST") + body


def keep_alive(c, chance):
    for i in range(120):
        c.request(get(f"/{i}", b"X-Padding: " + b"x" * chance.randrange(300)))


def pipelined(c, chance):
    for _ in range(20):
        batch = [get("/a"), post(LIKE_A_REQUEST), get("/b"), post(b"x" * chance.randrange(2000))]
        for one in batch:
            c.ids.append(1)
        c.send(b"".join(batch))
        c.answers(len(batch))


def pipelined_many(c, chance):
    c.ids.extend([1] * 6 + [0] * 4)
    c.send(get() * 10)
    c.answers(10)
    c.request(get())


def own_ids(c, chance):
    for field in OWN_IDS:
        c.request(get("/own", field), ids=0)
        c.request(get("/none"))


def chunks_of(body, chance):
    out, at = b"", 0
    while at < len(body):
        size = chance.randrange(1, 3000)
        piece = body[at : at + size]
        out += b"%x%s\r\n%s\r\n" % (len(piece), chance.choice([b"", b";name=value"]), piece)
        at += size
    return out + b"0\r\n" + chance.choice([b"", b"Trailer: yes\r\n"]) + b"\r\n"


def chunked(c, chance):
    for _ in range(12):
        data = chunks_of(LIKE_A_REQUEST * chance.randrange(1, 300), chance)
        c.request(get("/chunked", b"Transfer-Encoding: Chunked", method=b"POST"), wait=False)
        at = 0
        while at < len(data):
            size = chance.choice([1, 2, 3, 7, 100, 5000])
            c.send(data[at : at + size])
            at += size
        c.answers(1)
    c.request(get("/chunked", b"transfer-encoding:chunked", method=b"POST") + chunks_of(b"all at once", chance))
    c.request(get())


def expects(c, chance):
    for _ in range(5):
        c.request(get("/e", b"Expect: 100-continue", b"Content-Length: 5", method=b"PUT"), wait=False)
        c.answers(1, b"100 Continue\r\n\r\n")
        c.send(b"GET /")
        c.answers(1)
        c.request(get())


def upgrade(c, chance):
    c.request(get())
    c.request(get("/ws", b"Connection: Upgrade", b"Upgrade: websocket"), ids=0, wait=False)
    c.answers(1, b"Protocols\r\n\r\n")
    for _ in range(5):
        c.send(LIKE_A_REQUEST)


def connect(c, chance):
    c.request(get("here:443", method=b"CONNECT"), ids=0, wait=False)
    c.answers(1, b"Protocols\r\n\r\n")
    for _ in range(5):
        c.send(LIKE_A_REQUEST)


def large(c, chance):
    for size in (1, 30_000, 70_000, 200_000):
        c.request(post(LIKE_A_REQUEST * (size // len(LIKE_A_REQUEST))))
    c.request(get("/large", b"Content-Length: %d" % (1000 * 43 * 43), method=b"POST"), wait=False)
    for _ in range(1000):
        c.send(LIKE_A_REQUEST * 43)
    c.answers(1)
    c.request(get())


def from_files(c, chance):
    body = LIKE_A_REQUEST * 5000
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        for how in ("sendfile", "splice"):
            c.request(get("/file", b"Content-Length: %d" % len(body), method=b"POST"), wait=False)
            at = 0
            reading, writing = os.pipe()
            while at < len(body):
                if how == "sendfile":
                    at += os.sendfile(c.socket.fileno(), file.fileno(), at, len(body) - at)
                else:
                    moved = os.splice(file.fileno(), writing, 65536, offset_src=at)
                    at += moved
                    while moved:
                        moved -= os.splice(reading, c.socket.fileno(), moved)
            os.close(reading)
            os.close(writing)
            c.file.write(body)
            c.answers(1)
            c.request(get())


def in_child(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def handed_over(c, chance):
    for _ in range(3):
        c.request(get())
    c.file.flush()

    def others():
        for _ in range(3):
            c.request(get("/by-another"))
        c.file.flush()

    in_child(others)
    c.ids.extend([0] * 3)
    c.request(get("/back"), ids=0)


def passed(c, chance):
    """By a message with its descriptor, to a process that was there before."""
    c.request(get())
    mine, its = socket.socketpair()
    child = os.fork()
    if child == 0:
        _, fds, _, _ = socket.recv_fds(its, 10, 1)
        other = socket.socket(fileno=fds[0])
        for _ in range(3):
            other.sendall(get("/passed"))
            assert other.recv(1000)
        os._exit(0)
    socket.send_fds(mine, [b"x"], [c.socket.fileno()])
    assert os.waitpid(child, 0)[1] == 0
    c.file.write(get("/passed") * 3)
    c.ids.extend([0] * 3)


def split_heads(c, chance):
    c.request(get())
    head = get("/split", b"X-Padding: " + b"x" * 50)
    c.ids.append(0)
    c.send(head[:40])
    c.send(head[40:])
    c.answers(1)
    c.request(get("/after"), ids=0)


def scattered(c, chance):
    """One send from several pieces of the program's memory."""
    for _ in range(5):
        head = get("/scattered")
        c.ids.append(1)
        assert c.socket.sendmsg([head[:5], head[5:20], head[20:]]) == len(head)
        c.file.write(head)
        c.answers(1)


def long_heads(c, chance):
    c.request(get("/long", b"X-Padding: " + b"x" * 2000))
    c.request(get("/long", b"X-Padding: " + b"x" * 4100), ids=0)
    c.request(get(), ids=0)


def old(c, chance):
    for _ in range(3):
        c.request(get("/old", b"Connection: keep-alive", version=b"1.0"))


def no_http(*beginning):
    def case(c, chance):
        for data in beginning:
            c.send(data)
            time.sleep(0.002)
        for _ in range(3):
            c.send(LIKE_A_REQUEST)

    return case


def doubtful(*fields):
    """A head whose framing servers read differently: it and what follows have no ids."""

    def case(c, chance):
        c.request(get())
        c.send(get("/doubt", *fields, method=b"POST") + LIKE_A_REQUEST)
        time.sleep(0.002)
        for _ in range(3):
            c.send(LIKE_A_REQUEST)

    return case


def without_waiting(in_chunks):
    """A small send buffer and a socket that does not wait: the kernel takes bodies in part."""

    def case(c, chance):
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 50_000)
        c.socket.setblocking(False)
        partly = c.answered = 0
        c.all_sent = False
        reader = threading.Thread(target=lambda: drain(c))
        reader.start()
        for i in range(60):
            body = LIKE_A_REQUEST * chance.choice([0, 1, 300, 3000, 7000])
            data = post(body)
            if in_chunks:
                data = get("/c", b"Transfer-Encoding: chunked", method=b"POST") + chunks_of(body, chance)
            c.ids.append(-1)
            while c.answered < i:  # a head finds an empty buffer
                time.sleep(0.0002)
            most = len(data)
            while data:
                try:
                    sent = c.socket.send(data[:most])
                except BlockingIOError:
                    time.sleep(0.0002)
                    most = chance.choice([len(data), 7, 1000])
                    continue
                c.file.write(data[:sent])
                data = data[sent:]
                partly += bool(data)
        c.all_sent = True
        reader.join()
        assert partly > 20, f"the kernel took {partly} sends in part"
        c.socket.setblocking(True)

    return case


def drain(c):
    """Reads answers until each request has one."""
    held = b""
    while not c.all_sent or c.answered < len(c.ids):
        try:
            held += c.socket.recv(1 << 16)
            c.answered = held.count(b"\r\n\r\nok")
        except BlockingIOError:
            time.sleep(0.001)


CASES = {
    "keep-alive": keep_alive,
    "pipelined": pipelined,
    "pipelined-many": pipelined_many,
    "own-ids": own_ids,
    "chunked": chunked,
    "expect": expects,
    "upgrade": upgrade,
    "connect": connect,
    "large": large,
    "files": from_files,
    "handed-over": handed_over,
    "passed": passed,
    "split-heads": split_heads,
    "scattered": scattered,
    "long-heads": long_heads,
    "old": old,
    "tls": no_http(b"\x16\x03\x01\x00\x05hello"),
    "http2": no_http(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "redis": no_http(b"*1\r\n$4\r\nPING\r\n"),
    "empty-line": no_http(b"\r\n"),
    "proxy-header": no_http(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n"),
    "two-lengths": doubtful(b"Content-Length: 43", b"Content-Length: 0"),
    "length-and-chunks": doubtful(b"Content-Length: 43", b"Transfer-Encoding: chunked"),
    "other-coding": doubtful(b"Transfer-Encoding: gzip, chunked"),
    "signed-length": doubtful(b"Content-Length: +43"),
    "folded": doubtful(b"Content-Length: 0", b" X: 1"),
    "bare-line-end": doubtful(b"X: 1\nContent-Length: 43"),
    "no-colon": doubtful(b"Content-Length 43"),
    "space-before-colon": doubtful(b"Content-Length : 43"),
    "without-waiting": without_waiting(False),
    "chunks-without-waiting": without_waiting(True),
}
NODELAY = 1


def run_case(name, port, folder, seed):
    wanted = []
    c = Connection(port, folder, wanted)
    CASES[name](c, random.Random(seed))
    c.close()
    return wanted


def call(port, folder, again, names):
    sys.stdin.readline()
    made = {name: [] for name in names}
    seed = 0
    while True:
        for name in names:
            made[name] += run_case(name, port, folder, seed)
            seed += 1
        if not again or (folder / "stop").exists():
            break
    for name, wanted in made.items():
        (folder / f"{name}.json").write_text(json.dumps(wanted))


if __name__ == "__main__":
    port, folder = int(sys.argv[2]), pathlib.Path(sys.argv[3])
    if sys.argv[1] == "serve":
        serve(port, folder, "slow" in sys.argv)
    else:
        NODELAY = int(os.environ.get("NODELAY", "1"))
        call(port, folder, sys.argv[4] == "again", sys.argv[5:])
