"""No planted credential reaches the disk or any output: in headers, bodies, queries, paths, metadata, other protocols and TLS, with
connections joined late, cut anywhere, and with losses."""
import json
import subprocess
import sys
import time

import harness
from harness import Case


class Secrets(Case):
    KEEP = ()

    def setUp(self):
        super().setUp()
        self.certificate, self.key = self.scratch / "cert.pem", self.scratch / "key.pem"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                self.key,
                "-out",
                self.certificate,
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )

    def peer(self, seed):
        peer = self.start(
            [
                sys.executable,
                harness.pathlib.Path(__file__).parent / "secrets_peer.py",
                seed,
                self.certificate,
                self.key,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(peer.stdin.close)
        self.addCleanup(peer.stdout.close)
        self.assertEqual(peer.stdout.readline(), "open\n")
        return peer

    def run_peer(self, peer):
        peer.stdin.write("go\n")
        peer.stdin.flush()
        planted = json.loads(peer.stdout.readline())
        time.sleep(0.3)
        return planted

    def found(self, planted, *texts):
        """Those of which half is in one of the texts."""
        found = []
        for secret in planted:
            windows = (
                [secret[i : i + 16] for i in range(0, len(secret) - 15)]
                if len(secret) > 40
                else [secret[-12:], secret[:12]]
            )
            if any(w.encode() in text for w in windows for text in texts):
                found.append(secret)
        return found

    def outputs(self, recording, ids):
        page = self.scratch / "page.html"
        self.tailcap("report", recording.file, "--format", "html", "-o", page)
        yield page.read_text()
        for command in (
            ["report"],
            ["report", "--full"],
            ["report", "--format", "md"],
            ["report", "--json"],
            ["requests", "--json", "--headers"],
            ["events"],
            ["events", "--json"],
            ["spans"],
        ):
            yield self.tailcap(command[0], recording.file, *command[1:])
        for id in ids:
            yield self.tailcap("show", recording.file, id)
            yield self.tailcap("tree", recording.file, id)

    def plain(self, recording):
        return subprocess.run(["zstd", "-dcq", recording.file], capture_output=True, check=True).stdout

    def test_none_is_in_the_file_or_in_an_output(self):
        peer = self.peer(1)
        with self.record("-p", peer.pid) as recording:
            planted = self.run_peer(peer)
        self.assertGreater(len(planted), 1000)
        self.assertEqual(self.found(planted, recording.file.read_bytes(), self.plain(recording)), [])
        rows = self.requests(recording, "--headers")
        self.assertGreater(len(rows), 100, "requests are found nevertheless")
        paths = {r["path"].split("/")[1].split("?")[0] for r in rows if r["path"] and r["operation"] is None}
        self.assertTrue({"shop", "a.B", "ws"} <= paths, paths)
        ids = [r["id"] for r in rows[:: len(rows) // 4]]
        outputs = [text.encode() for text in self.outputs(recording, ids)]
        self.assertEqual(self.found(planted, *outputs), [])
        quality = json.loads(self.tailcap("report", recording.file, "--json"))["quality"]
        self.assertEqual(quality["capture"]["redaction"], "allow_list")
        masking = quality["masking"]
        self.assertGreater(masking["doubtful"], 3, "those joined late")
        self.assertGreater(masking["foreign"], 10, "other protocols")
        self.assertRegex(outputs[2], rb"IN\s+DOUBT")

    def test_none_is_left_by_losses(self):
        peer = self.peer(2)
        with self.record("-p", peer.pid, "--ring", "4096", "--rings", "1", code=3) as recording, recording.starved():
            planted = self.run_peer(peer)
        plain = self.plain(recording)
        found = self.found(planted, recording.file.read_bytes(), plain)
        around = [
            plain[max(0, at - 300) : at + 100] for at in (plain.find(secret[:12].encode()) for secret in found[:3])
        ]
        self.assertEqual(found, [], around)

    # Otherwise the tests above would prove nothing.
    def test_they_are_there_when_nothing_is_masked(self):
        peer = self.peer(3)
        with self.record("-p", peer.pid, "--payload-raw") as recording:
            planted = self.run_peer(peer)
        self.assertGreater(len(self.found(planted, self.plain(recording))), 1000)
        for said in (self.tailcap("report", recording.file, "--full"), self.tailcap("info", recording.file)):
            self.assertIn("--payload-raw", said)

    def test_what_is_kept_on_demand(self):
        script = self.scratch / "client.py"
        script.write_text(
            "import http.client, http.server, threading\n"
            "s = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n"
            "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
            "c = http.client.HTTPConnection(*s.server_address)\n"
            "c.request('GET', '/a?user=bob&pin=secretpin', headers={'X-Tenant-Id': 'blue', 'X-Other': 'secretother'})\n"
            "c.getresponse().read()\n"
        )
        with_arguments = [sys.executable, script, "secretargument"]
        file = self.scratch / "kept.tcap"
        for options, kept in (
            ([], False),
            (["--keep-header", "X-Tenant-Id", "--keep-query=user", "--keep-arguments"], True),
        ):
            subprocess.run(
                [harness.BUILD / "capture/tailcap-record", "--force", "-o", file, *options, "--", *with_arguments],
                capture_output=True,
                check=True,
                timeout=240,
            )
            plain = subprocess.run(["zstd", "-dcq", file], capture_output=True, check=True).stdout
            self.assertEqual([w in plain for w in (b"blue", b"user=bob", b"secretargument")], [kept] * 3)
            self.assertNotIn(b"pin=secretpin HTTP", plain)
            self.assertEqual(b"X-Other: secretother" in plain, False)
            by_tenant = self.tailcap("report", file, "--full", "--by", "x-tenant-id", code=0 if kept else 4)
            self.assertEqual("blue" in by_tenant, kept)


if __name__ == "__main__":
    harness.main()
