#!/usr/bin/env python3
"""More than 1,000 planted secrets, in every place that a capture has for text: redaction leaves none, in no encoding, at no level, and
nothing that is made of the copy has one.

    tests/cli/planted_test.py --build build/dev [unittest arguments]
"""
import base64
import json
import random
import string
import struct
import subprocess

from hpack import Encoder
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

import case
from case import Case

LEVELS = ("default", "strict")
EVERY = 24  # secrets of each place


def quoted(data):
    data = data.encode("latin-1") if isinstance(data, str) else data
    return '"' + "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\x{b:02x}" for b in data) + '"'


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value, huffman):
    """A literal field without indexing."""

    def text(t):
        coded = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(t) if huffman else t
        assert len(coded) < 127
        return bytes([len(coded) | (0x80 if huffman else 0)]) + coded

    return b"\x00" + text(name) + text(value)


class Plant:
    """A capture as text, and the secrets in it by place."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.places = {}
        self.lines = []
        self.at = 0.01
        self.sockets = 10

    def secret(self, place):
        letters = string.ascii_letters + string.digits
        while True:
            text = "".join(self.random.choice(letters) for _ in range(20))
            if any(c.isdigit() for c in text[2:12]) and any(c.isalpha() for c in text[12:]):
                break
        self.places.setdefault(place, []).append(text)
        return text

    def add(self, line):
        self.at += 0.0005
        self.lines.append(f"+{self.at:.6f} {line}")

    def connection(self, **more):
        self.sockets += 1
        extra = "".join(f" {k}={v}" for k, v in more.items())
        self.add(
            f"socket_info socket={self.sockets} family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
            f"remote=10.0.0.2:{30000 + self.sockets} next_in=1000 next_out=5000{extra}"
        )
        return self.sockets, [1000, 5000]

    def move(self, way, socket, at, data, out):
        data = data.encode("latin-1") if isinstance(data, str) else data
        self.add(f"{way} pid=10 tid=10 socket={socket} pos={at[out]} data={quoted(data)}")
        at[out] += len(data)

    def http1(self):
        socket, at = self.connection()
        for _ in range(EVERY):
            s = self.secret
            body = '{"password": "%s", "card": "%s"}' % (s("body"), s("body"))
            self.move(
                "receive",
                socket,
                at,
                f"POST /shop/{s('path')}/item.json;v={s('path parameter')}?token={s('query value')}&{s('query key')}=1&{s('query part')}#{s('fragment')} HTTP/1.1\r\n"
                f"Host: {s('host')}.example.com\r\nAuthorization: Bearer {s('credential')}\r\nCookie: sid={s('cookie')}; b={s('cookie')}\r\n"
                f"X-Own-Header: {s('header')}\r\nUser-Agent: curl {s('user agent')}\r\nX-Request-Id: {s('request id')}\r\n"
                f"Tracestate: v={s('tracestate')}\r\nContent-Type: text/plain; boundary={s('media type')}\r\nReferer: http://h/{s('referrer')}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}",
                0,
            )
            self.move(
                "send",
                socket,
                at,
                f"HTTP/1.1 200 Fine {s('reason')}\r\nServer: nginx {s('server')}\r\nSet-Cookie: a={s('set-cookie')}\r\nLocation: /{s('location')}\r\n"
                f"Transfer-Encoding: chunked\r\n\r\n14;x={s('chunk')}\r\n{s('chunk')}\r\n0\r\nX-End: {s('trailer')}\r\n\r\n",
                1,
            )
        self.move(
            "receive",
            socket,
            at,
            f"GET http://user:{self.secret('user information')}@h.example/ HTTP/1.1\r\nHost: u:{self.secret('user information')}@h\r\n\r\n",
            0,
        )
        self.move("send", socket, at, "HTTP/1.1 204 No Content\r\n\r\n", 1)

    def http2(self):
        socket, at = self.connection()
        self.move("receive", socket, at, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""), 0)
        self.move("send", socket, at, frame(4, 0, 0, b""), 1)
        indexed, stream = Encoder(), 1
        for i in range(EVERY):
            s = self.secret
            huffman = i % 2 == 0
            block = b"\x83\x86"
            if i % 3 == 0:  # indexed: the second stream refers to what the first put into the table
                fields = [
                    (":path", f"/p/{s('path in HPACK')}?k={s('query in HPACK')}"),
                    ("x-kept", s("indexed header")),
                ]
                first = indexed.encode(fields, huffman=huffman)
                again = indexed.encode(fields, huffman=huffman)
                for block_of in (first, again):
                    self.move("receive", socket, at, frame(1, 5, stream, block + block_of), 0)
                    self.move("send", socket, at, frame(1, 5, stream, b"\x88"), 1)
                    stream += 2
                continue
            kind = "Huffman" if huffman else "plain"
            block += literal(b":path", f"/shop.v1.Cart/{s(kind + ' path')}".encode(), huffman) + literal(
                b"content-type", b"application/grpc", huffman
            )
            for name in ("authorization", "x-tenant", "grpc-message", "cookie", "user-agent"):
                block += literal(name.encode(), s(f"{kind} {name}").encode(), huffman)
            binary = s(f"{kind} binary metadata").encode()
            block += literal(b"own-bin", binary if huffman else base64.b64encode(binary).rstrip(b"="), huffman)
            message = s("gRPC message").encode()
            self.move(
                "receive",
                socket,
                at,
                frame(1, 4, stream, block) + frame(0, 1, stream, b"\0" + struct.pack(">I", len(message)) + message),
                0,
            )
            answer = s("gRPC answer").encode()
            trailers = literal(b"grpc-status", b"13", huffman) + literal(
                b"grpc-message", s("gRPC status message").encode(), huffman
            )
            self.move(
                "send",
                socket,
                at,
                frame(1, 4, stream, b"\x88" + literal(b"content-type", b"application/grpc", huffman))
                + frame(0, 0, stream, b"\0" + struct.pack(">I", len(answer)) + answer)
                + frame(1, 5, stream, trailers)
                + frame(7, 0, 0, b"\0" * 8 + s("GOAWAY").encode()),
                1,
            )
            stream += 2

    def tls(self):
        for i in range(EVERY):
            socket, at = self.connection()
            name = (self.secret("SNI") + ".example.com").encode()
            sni = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
            ticket = self.secret("session ticket").encode()
            alpn = self.secret("ALPN").encode()
            extensions = b"".join(
                struct.pack(">HH", k, len(v)) + v
                for k, v in (
                    (0, sni),
                    (35, ticket),
                    (16, struct.pack(">HB", len(alpn) + 1, len(alpn)) + alpn),
                    (0xFE0D, self.secret("extension").encode()),
                )
            )
            random_bytes = (self.secret("hello random") + "x" * 12).encode()
            body = (
                b"\x03\x03"
                + random_bytes
                + b"\x14"
                + self.secret("session id").encode()
                + b"\x00\x02\x13\x01\x01\x00"
                + struct.pack(">H", len(extensions))
                + extensions
            )
            hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
            self.move("receive", socket, at, b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello, 0)
            self.move("send", socket, at, b"\x17\x03\x03\x00\x14" + self.secret("record").encode(), 1)
            self.add(f"tls_step pid=10 tid=10 session={100 + i} library=openssl step=handshake")
            self.add(
                f"tls_receive pid=10 tid=10 session={100 + i} pos=0 data="
                + quoted(
                    f"GET /tls?x={self.secret('TLS query')} HTTP/1.1\r\nHost: h\r\nCookie: {self.secret('TLS cookie')}\r\n\r\n"
                )
            )

    def others(self):
        for i in range(EVERY):
            s = self.secret
            socket, at = self.connection()
            self.move("receive", socket, at, f"*2\r\n$4\r\nAUTH\r\n$20\r\n{s('another protocol')}\r\n", 0)
            name = s("DNS")
            label = bytes([len(name)]) + name.encode() + b"\x07example\x03com\x00"
            self.add(
                f"socket_info socket={1000 + i} family=inet type=datagram origin=connected local=10.0.0.1:5{i:03} remote=10.0.0.53:53"
            )
            self.add(
                f"send pid=10 tid=10 socket={1000 + i} pos=0 data="
                + quoted(b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + label + b"\x00\x01\x00\x01")
            )
            text = s("DNS text").encode()
            self.add(
                f"receive pid=10 tid=10 socket={1000 + i} pos=0 data="
                + quoted(
                    b"\x00\x07\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00"
                    + label
                    + b"\x00\x01\x00\x01"
                    + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07"
                    + b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c"
                    + struct.pack(">HB", len(text) + 1, len(text))
                    + text
                )
            )
            self.add(
                f"socket_info socket={2000 + i} family=unix type=stream origin=connected path={quoted('/run/' + s('UNIX path') + '/x.sock')}"
            )
            self.add(
                f"task_info pid={100 + i} tid={100 + i} comm={quoted(s('comm')[:15])} command_line={quoted('/opt/' + s('program') + '/run --password ' + s('argument'))} "
                f"executable={quoted('/opt/' + s('executable'))} cgroup={quoted('/kubepods/' + s('cgroup'))}"
            )
            self.add(
                f"task_exec pid={100 + i} tid={100 + i} comm={quoted(s('comm')[:15])} filename={quoted('/srv/' + s('exec'))}"
            )
            self.add(
                f"mapping pid={100 + i} tid={100 + i} start=4096 end=8192 path={quoted('/build/' + s('build path') + '/lib.so')}"
            )
            self.add(f"file_call pid=10 tid=10 act=open result=3 path={quoted('/home/' + s('file name') + '.txt')}")
            self.add(
                f"sample pid=10 tid=10 user={quoted('main;' + s('symbol') + '::run;[' + s('module') + '.so]')} kernel=\"schedule\""
            )
            self.add(f"go_handler pid=10 tid=10 name={quoted('example.com/' + s('handler') + '.Serve')}")
            self.add(
                f"go_create pid=10 tid=10 function={quoted('example.com/' + s('function') + '.func1')} from={quoted(s('function'))}"
            )
            self.add(
                f"go_build pid=10 tid=10 path={quoted('/opt/' + s('Go program'))} lines={quoted('build ' + s('build setting'))}"
            )
            self.add(
                f"cpu_quota cgroup={quoted('/user.slice/' + s('quota cgroup'))} period=100000000 quota=1 periods=1"
            )
            self.add(f"note key={quoted(s('note key'))} value={quoted('deploy ' + s('note'))}")
            self.add(f"net_interface name={quoted(s('interface')[:15])} family=inet address=10.0.0.1:0 prefix=24")
            self.add(
                f"probe path={quoted('/opt/' + s('probe path'))} function={quoted(s('probe function'))} reason={quoted(s('probe reason'))}"
            )
            self.add(f"go_panic pid=10 tid=10 step=began stack={quoted('main;' + s('panic'))}")

    def text(self):
        s = self.secret
        preamble = (
            f"preamble tier=a payload_limit=4096 redaction=payload_raw host={quoted(s('host name'))} note={quoted(s('first note') + '=' + s('first note'))} "
            f"target={quoted('comm ' + s('target')[:15])}"
        )
        self.lines = [preamble, '+0 task_info pid=10 tid=10 comm="shop"']
        for part in (self.http1, self.http2, self.tls, self.others):
            part()
        return "\n".join(self.lines) + "\n"


def bits_of(text):
    return "".join(format(REQUEST_CODES[b], f"0{REQUEST_CODES_LENGTH[b]}b") for b in text)


def forms(secret):
    """What is to be searched for, of its first 15 characters: names of tasks have no more."""
    raw = secret[:15].encode()
    yield raw
    for text in (raw.hex(), "".join(f"%{b:02x}" for b in raw)):
        yield text.encode()
        yield text.upper().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        yield coded[(shift * 8 + 5) // 6 : len(raw) * 4 // 3 - 1]
    bits = bits_of(raw)
    for shift in range(8):
        whole = bits[shift:]
        yield bytes(int(whole[i : i + 8], 2) for i in range(0, len(whole) - 7, 8))


class Planted(Case):
    def found(self, plant, *texts):
        together = b"\0\0\0\0".join(t if isinstance(t, bytes) else t.encode() for t in texts)
        return sorted(
            {
                place
                for place, secrets in plant.places.items()
                for secret in secrets
                for form in forms(secret)
                if form in together
            }
        )

    def outputs(self, file):
        for command in (
            ["report"],
            ["report", "--full"],
            ["report", "--format", "md"],
            ["report", "--json"],
            ["report", "--format", "html", "-o", "-"],
            ["requests", "--json", "--headers"],
            ["requests"],
            ["events"],
            ["events", "--json"],
            ["spans"],
            ["topology"],
            ["topology", "--json"],
            ["timeline", "--json"],
            ["info"],
            ["info", "--json"],
            ["diag"],
            ["diag", "--json"],
            ["diff", "--before", "1s", "--full"],
            ["diff", "--before", "1s", "--json"],
            ["flame", "--format", "folded"],
            ["tree"],
            ["check"],
            ["summarise"],
            ["summarise", "--json"],
            ["report", "--full", "--by", "x-tenant"],
        ):
            yield self.tailcap(command[0], file, *command[1:]).stdout
        for row in self.tailcap("requests", file, "--json").stdout.splitlines()[::5]:
            for command in (["show"], ["show", "--json"], ["tree"]):
                yield self.tailcap(command[0], file, json.loads(row)["id"], *command[1:]).stdout

    def inflated(self, file):
        return subprocess.run(["zstd", "-dcq", file], capture_output=True, check=True).stdout

    def test_none_is_left(self):
        plant = Plant(7)
        text = self.scratch / "planted.txt"
        text.write_text(plant.text())
        capture = self.scratch / "planted.tcap"
        made = case.run(case.program("tests/synth/synth-capture"), text, capture)
        self.assertEqual(made.returncode, 0, made.stderr)
        count = sum(map(len, plant.places.values()))
        self.assertGreater(count, 1000)
        # They are there, or this test would prove nothing.
        self.assertEqual(self.found(plant, self.inflated(capture)), sorted(plant.places))
        self.assertGreater(len(self.found(plant, *self.outputs(capture))), len(plant.places) // 2)
        requests = len(self.tailcap("requests", capture, "--json").stdout.splitlines())
        self.assertGreater(requests, 2 * EVERY)
        for level in LEVELS:
            with self.subTest(level):
                out = self.scratch / f"{level}.tcap"
                done = self.tailcap("redact", capture, out, "--level", level)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.found(plant, out.read_bytes(), self.inflated(out)), [])
                self.assertEqual(self.found(plant, *self.outputs(out)), [])
                self.assertEqual(len(self.tailcap("requests", out, "--json").stdout.splitlines()), requests)
                verified = self.tailcap("redact", "--verify", out, "--against", capture, "--json")
                self.assertEqual(verified.returncode, 0, verified.stdout)
                self.assertGreater(json.loads(verified.stdout)["originals"], count * 0.9)

    def test_verify_finds_what_is_left(self):
        """By the rules of strict, what default keeps of a name is no leak: it is where it was. A name at another place is one."""
        plant = Plant(8)
        text = self.scratch / "planted.txt"
        text.write_text(plant.text())
        secret = plant.places["cookie"][0]
        capture, leaking = self.scratch / "a.tcap", self.scratch / "b.tcap"
        for form in (secret, secret.encode().hex(), base64.b64encode(secret.encode()).decode().rstrip("=")):
            lines = text.read_text()
            case.run(case.program("tests/synth/synth-capture"), text, capture, check=True)
            out = self.scratch / "out.tcap"
            policy = self.scratch / "p.yaml"
            policy.write_text("fields: {go_runtime.reason: keep}\n")
            self.tailcap("redact", capture, out, "--force")
            # What was made of another capture that has it where this one has something else.
            leak = self.scratch / "leak.txt"
            leak.write_text(lines + f'+9 go_runtime pid=10 tid=10 phase=gc_begin reason="{form}"\n')
            other = self.scratch / "other.txt"
            other.write_text(lines + '+9 go_runtime pid=10 tid=10 phase=gc_begin reason="quiet"\n')
            for name, file in ((leak, leaking), (other, capture)):
                file.unlink(missing_ok=True)
                made = case.run(case.program("tests/synth/synth-capture"), name, file)
                self.assertEqual(made.returncode, 0, made.stderr)
            self.tailcap("redact", leaking, out, "--force", "--policy", policy)
            done = self.tailcap("redact", "--verify", out, "--against", capture, "--policy", policy)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("FOUND in go_runtime.reason", done.stdout)


if __name__ == "__main__":
    case.main()
