"""HTTP/2 without TLS: nghttpd under h2load, against what the clients saw."""
import re
import subprocess

import harness
from harness import Case, free_port, wait_until


class Http2(Case):
    def nghttpd(self):
        (self.scratch / "small").write_bytes(b"s" * 300)
        (self.scratch / "page").write_bytes(b"p" * 3001)
        port = free_port()
        server = self.start(["nghttpd", "--no-tls", "-d", self.scratch, port], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nghttpd")
        return server, f"http://127.0.0.1:{port}"

    def h2load(self, *arguments):
        done = subprocess.run(["h2load", *map(str, arguments)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(re.search(r"status codes: (\d+) 2xx", done.stdout)[1])

    def both_ends(self, streams, paths):
        server, url = self.nghttpd()
        with self.record("-p", server.pid, "--comm", "h2load") as recording:
            ok = self.h2load("-n", 3001, "-c", 4, "-m", streams, *(url + p for p in paths))
        rows = self.requests(recording)
        self.assertEqual({(r["protocol"], r["method"]) for r in rows}, {("http/2", "GET")})
        self.assertEqual([r for r in rows if not r["complete"] or r["tainted"]][:1], [])
        ids = {r["id"]: r for r in rows}
        self.assertEqual(len(ids), 2 * 3001)
        for role in ("server", "client"):
            end = [r for r in rows if r["role"] == role]
            self.assertEqual(len(end), 3001)
            self.assertEqual(len({(r["connection"], r["stream"]) for r in end}), 3001)
            self.assertEqual(sum(r["status"] == 200 for r in end), ok)
            for path, size in (("/small", 300), ("/page", 3001)):
                self.assertEqual(
                    {(r["status"], r["response_bytes"]) for r in end if r["path"] == path},
                    {(200, size)} if path in paths else set(),
                )
            self.assertEqual({r["status"] for r in end if r["path"] == "/none"}, {404})
        for r in rows:
            peer = ids[r["peer"]]
            self.assertEqual((peer["peer"], peer["stream"], peer["path"]), (r["id"], r["stream"], r["path"]))

    def test_many_streams(self):
        self.both_ends(16, ["/small", "/none"])

    def test_one_stream_at_a_time(self):
        self.both_ends(1, ["/small", "/page", "/none"])


if __name__ == "__main__":
    harness.main()
