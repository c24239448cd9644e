#!/usr/bin/env python3
"""No output of the analyser carries what others wrote in a form that acts on a terminal, a page or a graph.

Every string of the captures of tests/golden and of a sample is replaced by one with escape sequences, C1 and bidirectional
control characters, line breaks, NUL, bytes that are no UTF-8, markup of HTML, Markdown, Mermaid and DOT, and shell
substitutions. Added are connections whose HTTP/1, HTTP/2, DNS and TLS messages carry the same. All commands run over
them in all formats, and what they print and write is scanned.

    tests/cli/outputs_test.py --build build/dev [unittest arguments]
"""
import html.parser
import json
import pathlib
import re
import struct
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import case

MARK = "EVIL"  # to see that the strings arrive

CONTROLS = b"\x1b]0;OWNED\x07\x1b[2J\x9b31m\xc2\x9b1m\xc2\x85\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c\xe2\x80\xa8\xe2\x80\xa9\x7f\xff\xfe\xed\xa0\x80"
MARKUP = b"\"><img src=x onerror=alert(1)></script><script>alert(2)</script></svg>]]>--><!--'`id`$(id)|[a](http://e)\\\"];n0->n1[label=\"x\"] @me #1\n"
BREAKS = b"\r\nfaked: line\x00\n\tfaked: line\r"
HOSTILE = [MARK.encode() + s for s in (CONTROLS, MARKUP, BREAKS, CONTROLS + MARKUP + BREAKS)]
SHORT = b"/\x1b\xc2\x9b<\"`|\xe2\x80\xae[](\\'\xff@#&;{}\x7f\x01"  # in place of a path, cut to its length
FIELD = re.compile(
    r' (comm|command_line|executable|cgroup|path|filename|function|from|stack|reason|name|version|offsets_from|unsupported|lines|'
    r'user|kernel|key|value|place|program|note|target)="((?:[^"\\]|\\.)*)"'
)
PATH = re.compile(r'(data="(?:GET|POST|PUT|DELETE) )(/[a-z0-9/]*)')
TIME = re.compile(r"^\+(\d+\.?\d*)", re.M)


def quoted(data):
    return '"' + "".join(f"\\x{b:02x}" for b in data) + '"'


def misleading(c):
    n = ord(c)
    return (
        (n < 0x20 and c != "\n")
        or 0x7F <= n < 0xA0
        or n in (0x61C, 0xFEFF)
        or 0x200B <= n <= 0x200F
        or 0x2028 <= n <= 0x202E
        or 0x2060 <= n <= 0x206F
    )


def http1():
    for s in HOSTILE:
        line = re.sub(rb"[\r\n\0]", b"", s)  # would end the line
        yield (
            b"GET /"
            + line.replace(b" ", b"")
            + b"?q="
            + line.replace(b" ", b"")
            + b" HTTP/1.1\r\nHost: "
            + line
            + b"\r\nX-Request-Id: "
            + line
            + b"\r\ntraceparent: "
            + line
            + b"\r\nUser-Agent: "
            + line
            + b"\r\n\r\n",
            b"HTTP/1.1 503 "
            + line
            + b"\r\nContent-Length: 2\r\nServer: "
            + line
            + b"\r\nRetry-After: "
            + line
            + b"\r\n\r\nok",
        )


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(*fields):
    """Literal fields without indexing and without Huffman."""

    def text(s):
        return (
            bytes([len(s)])
            if len(s) < 127
            else bytes([127, (len(s) - 127) % 128 + 128 * (len(s) - 127 >= 128)])
            + (bytes([(len(s) - 127) // 128]) if len(s) - 127 >= 128 else b"")
        ) + s

    return b"".join(b"\0" + text(k) + text(v) for k, v in fields)


def http2():
    out, back = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")], [frame(4, 0, 0, b"")]
    for i, s in enumerate(HOSTILE):
        stream = 2 * i + 1
        out.append(
            frame(
                1,
                5,
                stream,
                block(
                    (b":method", b"POST"),
                    (b":scheme", b"http"),
                    (b":path", b"/" + s),
                    (b":authority", s),
                    (b"content-type", b"application/grpc"),
                    (b"te", b"trailers"),
                    (b"x-request-id", s),
                ),
            )
        )
        back.append(
            frame(1, 4, stream, block((b":status", b"200"), (b"content-type", b"application/grpc")))
            + frame(1, 5, stream, block((b"grpc-status", b"13"), (b"grpc-message", s)))
        )
    back.append(frame(7, 0, 0, struct.pack(">II", 7, 2) + HOSTILE[0]))
    return zip(out, back)


def client_hello(name):
    sni = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    alpn = struct.pack(">HHHB", 16, len(name) + 3, len(name) + 1, len(name)) + name
    body = (
        b"\x03\x03"
        + bytes(32)
        + b"\0"
        + b"\0\x02\x13\x01"
        + b"\x01\0"
        + struct.pack(">H", len(sni + alpn))
        + sni
        + alpn
    )
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def dns(name):
    question = bytes([len(name[:60])]) + name[:60] + b"\x02aa\0" + struct.pack(">HH", 1, 1)
    return (
        struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + question,
        struct.pack(">HHHHHH", 7, 0x8183, 1, 0, 0, 0) + question,
    )


def connections(after):
    """Events of connections that begin `after` seconds."""
    lines, at, socket = [], after + 0.001, 900_000
    for process, pairs in (
        (910, http1()),
        (920, http2()),
        (930, [(client_hello(s), b"\x15\x03\x03\0\x02\x02\x28") for s in HOSTILE]),
    ):
        socket += 1
        lines.append(
            f"+{at:.6f} task_info pid={process} tid={process} comm={quoted(HOSTILE[3])} command_line={quoted(HOSTILE[3])}"
        )
        lines.append(
            f"+{at:.6f} socket_info socket={socket} family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
            f"remote=10.0.0.2:{socket % 60000} next_in=1000 next_out=5000"
        )
        position, answered = 1000, 5000
        for request, response in pairs:
            lines.append(f"+{at:.6f} receive pid={process} socket={socket} pos={position} data={quoted(request)}")
            lines.append(f"+{at + 0.004:.6f} send pid={process} socket={socket} pos={answered} data={quoted(response)}")
            position, answered, at = position + len(request), answered + len(response), at + 0.005
    for s in HOSTILE:
        socket += 1
        question, answer = dns(s)
        lines.append(
            f"+{at:.6f} socket_info socket={socket} family=inet type=datagram origin=connected local=10.0.0.1:4000 remote=10.0.0.9:53"
        )
        lines.append(f"+{at:.6f} send pid=910 socket={socket} data={quoted(question)}")
        lines.append(f"+{at + 0.002:.6f} receive pid=910 socket={socket} data={quoted(answer)}")
        lines.append(
            f"+{at:.6f} socket_info socket={socket + 100} family=unix type=stream origin=accepted state=established path={quoted(s)}"
        )
        lines.append(
            f"+{at:.6f} receive pid=910 socket={socket + 100} data=\"GET /u HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\""
        )
        lines.append(
            f"+{at + 0.003:.6f} send pid=910 socket={socket + 100} data=\"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n\""
        )
        lines.append(f"+{at:.6f} note key={quoted(s)} value={quoted(s)}")
        at += 0.005
    return "\n".join(lines) + "\n"


def poisoned(text):
    count = 0

    def replace(match):
        nonlocal count
        count += 1
        return f" {match[1]}={quoted(HOSTILE[count % len(HOSTILE)])}"

    def path(match):
        nonlocal count
        count += 1
        rest = (SHORT * 9)[: len(match[2])] if count % 2 else match[2].encode()
        return match[1] + "".join(f"\\x{b:02x}" for b in rest)

    lines = [line for line in text.splitlines() if not line.startswith("preamble")]
    body = PATH.sub(path, FIELD.sub(replace, "\n".join(lines)))
    h = quoted(HOSTILE[3])
    preamble = f'preamble tier=a payload_limit=256 tier_reason={h} host={h} boot_id={h} capture_id={h} target={h} note="k={h[1:]}'
    return preamble + "\n" + body + "\n" + connections(max(map(float, TIME.findall(body)), default=0))


class Page(html.parser.HTMLParser):
    """Elements and attributes of a page, to be held against those of a harmless one."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.bad, self.script, self.scripts = set(), [], False, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.script = tag == "script"
        self.bad += [
            f"{tag} {name}"
            for name, value in attributes
            if name.startswith("on") or (name in ("src", "href") and not (value or "").startswith(("#", "data:image/")))
        ]

    def handle_data(self, data):
        if self.script:
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self.script = False


class Outputs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-outputs-")
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = pathlib.Path(folder.name)
        cls.captures = []
        sample = subprocess.run(
            [case.program("tests/synth/synth-capture"), "--print", case.SAMPLES / "go-stock/go-stock.tcap"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        sources = {"go-stock": "\n".join(sample.splitlines()[:20000])}
        chosen = (
            "diag",
            "flame",
            "flame-traces",
            "grpc-show",
            "h08-websocket",
            "labels-lock",
            "merge",
            "spans",
            "topology",
            "trace-contexts",
        )
        sources |= {
            f"{name}-{f.stem}": f.read_text()
            for name in chosen
            for f in sorted((case.ROOT / "tests/golden" / name).glob("*.txt"))
        }
        for number, (name, text) in enumerate(sources.items()):
            (cls.scratch / "text").write_text(poisoned(text))
            # The names of the files are hostile, too; '/' cannot be in them.
            path = cls.scratch / f"{number}{MARK}\x1b]0;x\x07\u202e\n<b>`id`.tcap"
            done = subprocess.run(
                [case.program("tests/synth/synth-capture"), "text", path.name],
                cwd=cls.scratch,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{name}: {done.stderr}"
            cls.captures.append((name, path))

    def run_command(self, *arguments):
        done = subprocess.run(
            [case.program(), *arguments], cwd=self.scratch, capture_output=True, stdin=subprocess.DEVNULL, timeout=120
        )
        self.assertIn(done.returncode, (0, 1, 2, 3, 4), (arguments, done.stderr))
        self.safe(done.stderr, (arguments, "stderr"))
        self.safe(done.stdout, (arguments, "stdout"))
        return done.stdout.decode()

    def safe(self, data, where, picture=False):
        text = data.decode()  # strictly
        if picture:  # gnuplot indents with tabs
            text = re.sub(r"^\t+|(?<=>)\t+|\t+$", "", text, flags=re.M)
        found = sorted({hex(ord(c)) for c in text if misleading(c)})
        self.assertEqual(found, [], (where, [line for line in text.splitlines() if any(map(misleading, line))][:3]))
        self.assertNotRegex(text, r"(?m)^\s*faked: line", where)
        self.seen += text.count(MARK)

    def page(self, path):
        text = path.read_bytes().decode()
        self.safe(text.encode(), path, picture=True)
        page = Page(text)
        self.assertEqual(page.bad, [], path)
        self.assertLessEqual(page.tags & {"img", "b"}, {"img"} if "data:image" in text else set(), path)
        self.assertFalse([s for s in page.scripts if MARK in s or "alert" in s], path)
        self.seen += text.count(MARK)

    def svg(self, path):
        self.safe(path.read_bytes(), path, picture=True)
        for element in xml.etree.ElementTree.fromstring(path.read_text()).iter():
            self.assertNotIn(element.tag.split("}")[-1], ("img", "image", "foreignObject", "b"), path)
            self.assertFalse([a for a in element.attrib if a.startswith("on")], path)
            if element.tag.endswith("script"):
                self.assertNotIn("alert", element.text or "", path)

    def dot(self, text):
        for line in text.splitlines():
            outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
            self.assertRegex(outside, r"^[\w\s=;,\[\]{}>.#-]*$", line)

    def mermaid(self, text):
        for line in text.splitlines():
            outside = re.sub(r'"[^"]*"', '""', line)
            self.assertRegex(
                outside,
                r'^\s*(flowchart \w+|n\d+(\[""\]|\(\[""\]\))|n\d+ -->\|""\| n\d+|linkStyle [\d,]+ stroke:#\w+,stroke-width:3px,color:#\w+)?$',
                line,
            )

    def markdown(self, text):
        self.assertNotRegex(text, r"(?<!\\)\[a\]|<img|<script|(?<!\\)`id`|@me|http://e", text[:0])

    def test_every_command_in_every_format(self):
        self.seen, seen = 0, {}
        for name, path in self.captures:
            with self.subTest(capture=name):
                file, out = path.name, self.scratch / "out"
                ids = [
                    line.split()[0]
                    for line in self.run_command("requests", file, "--limit", "400").splitlines()
                    if re.match(r"\d+\.\d+ ", line)
                ]
                ids = ids[:1] + ids[-2:]
                for arguments in (
                    ["report"],
                    ["report", "--full"],
                    ["report", "--full", "--by", "x-request-id"],
                    ["topology"],
                    ["topology", "--window", "10ms"],
                    ["requests", "--headers"],
                    ["spans", "--explain"],
                    ["diag"],
                    ["diff", "--before", "20ms", "--full"],
                    ["info"],
                    ["info", "--goroutines"],
                    ["events"],
                    ["check"],
                    ["flame", "--measure", "off-cpu", "--format", "folded"],
                    ["flame", "--per-request", "--format", "folded"],
                    ["summarise"],
                    ["scorecard"],
                    ["cardinality"],
                    ["fleet"],
                    ["similar", file],
                    ["tree"],
                    *(["show", i] for i in ids),
                    *(["tree", i] for i in ids),
                ):
                    self.run_command(arguments[0], file, *arguments[1:])
                for arguments in (
                    ["report"],
                    ["report", "--full"],
                    ["topology"],
                    ["diag"],
                    ["diff", "--before", "20ms"],
                    ["info"],
                    ["info", "--goroutines"],
                    ["check"],
                    ["spans"],
                    ["spans", "--explain"],
                    ["timeline"],
                    ["flame", "--measure", "off-cpu"],
                    ["tree"],
                    *(["show", i] for i in ids),
                    *(["tree", i] for i in ids),
                ):
                    asked = [] if arguments == ["spans"] else ["--json"]
                    text = self.run_command(arguments[0], file, *arguments[1:], *asked)
                    if text:
                        json.loads(text)
                for command in ("requests", "events"):
                    for line in self.run_command(command, file, "--json").splitlines():
                        json.loads(line)
                self.markdown(self.run_command("report", file, "--format", "md"))
                self.dot(self.run_command("topology", file, "--format", "dot"))
                self.mermaid(self.run_command("topology", file, "--format", "mermaid"))
                pictures = [
                    ["topology", file, "--format", "svg", "-o", out],
                    ["timeline", file, "-o", out],
                    ["flame", file, "--measure", "off-cpu", "-o", out],
                    ["flame", file, "-o", out],
                    *(["tree", file, i, "--format", "svg", "-o", out] for i in ids),
                ]
                for arguments in pictures:
                    out.unlink(missing_ok=True)
                    self.run_command(*arguments)
                    if out.exists():
                        self.svg(out)
                for arguments in (
                    ["report", file, "--format", "html", "-o", out],
                    *(["show", file, i, "--format", "html", "-o", out] for i in ids),
                ):
                    out.unlink(missing_ok=True)
                    self.run_command(*arguments)
                    self.page(out)
                for form in ("text", "md", "json", "junit"):
                    self.run_command("compare", file, "--", file, "--format", form)
                (self.scratch / "slo.yaml").write_text(
                    json.dumps({"slos": [{"route": "*", "at_most": {"p50": "1ns", "errors": "50%"}}]})
                )
                for form in ("text", "md", "json", "junit"):
                    self.run_command("assert", file, "--slo", "slo.yaml", "--explain", "--observed", "--format", form)
                self.run_command("recover", file, "-o", "saved.tcap", "--force")
                self.run_command("merge", file, file, "-o", "both.tcap", "--force")
                seen[name], self.seen = self.seen, 0
        self.assertEqual([n for n, k in seen.items() if k < 100], [], "the strings must arrive")

    def test_plots(self):
        self.seen = 0
        name, path = self.captures[0]
        self.run_command("report", path.name, "--plots", "plots")
        for picture in sorted((self.scratch / "plots").glob("*.svg")):
            self.svg(picture)
        self.assertGreater(self.seen, 0)

    def test_messages(self):
        """Names of files, ids and values of options in messages."""
        self.seen = 0
        bad = f"{MARK}\x1b]0;x\x07\x9b\u202e\r\nfaked: line"
        good = self.captures[0][1].name
        for command in ("report", "requests", "info", "check", "events", "spans", "diag", "topology", "timeline"):
            self.run_command(command, bad)
            self.run_command(command, good, bad)
            self.run_command(command, good, "--" + bad)
        for arguments in (
            [bad],
            ["show", good, bad],
            ["show", good, "9999.9"],
            ["tree", good, bad],
            ["tree", bad, "1.1"],
            ["report", good, "-o", bad + "/x"],
            ["report", good, "--from", bad],
            ["report", good, "--where", bad],
            ["report", good, "--route", bad],
            ["report", good, "--route-template", bad],
            ["report", good, "--plots", "/dev/null/" + bad],
            ["report", good, "--min-outlive", bad],
            ["report", good, "--format", bad],
            ["events", good, "--kind", bad],
            ["spans", good, "--import", bad],
            ["spans", good, "--rules", bad],
            ["recover", bad, "-o", "x"],
            ["merge", bad, good, "-o", "m"],
            ["flame", bad, "-o", "-"],
            ["flame", good, bad, "-o", "-"],
            ["tree", good, bad],
            ["requests", good, "--status", bad],
            ["requests", good, "--limit", bad],
            ["report", good, "--width", bad],
        ):
            self.run_command(*arguments)
        self.assertGreater(self.seen, 20)


if __name__ == "__main__":
    case.main()
