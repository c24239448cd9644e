"""Secrets in headers never reach the disk, unless they were asked for, and then the file says so."""
import subprocess

import harness
from harness import Case, free_port

SECRETS = {
    "Authorization": "Bearer s3cret-authorization",
    "Proxy-Authorization": "Basic s3cret-proxy",
    "Cookie": "session=s3cret-cookie; other=s3cret-second",
    "X-Api-Key": "s3cret-key",
    "aUTHORIZATION": "Digest s3cret-mixed-case",
}


class Headers(Case):
    KEEP = ()

    def recorded(self, *arguments):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        # From a file: a secret on a command line is another matter, and command lines are recorded.
        header = self.scratch / "header"
        with self.record("-p", service.pid, "--comm", "curl", *arguments) as recording:
            for name, value in SECRETS.items():
                header.write_text(f"{name}: {value}\n")
                self.curl("-H", f"@{header}", "-H", "x-request-id: visible", f"http://127.0.0.1:{port}/cart/1")
            # Behind a long head and split over writes the secret must not slip through either.
            self.load(
                f"http://127.0.0.1:{port}",
                "-n",
                "23",
                "--header",
                "X-Padding: " + "p" * 150,
                "--header",
                "Authorization: Bearer s3cret-under-load",
            )
        raw = recording.file.read_bytes()
        plain = subprocess.run(["zstd", "-dcq", recording.file], capture_output=True, check=True).stdout
        return recording, raw, plain

    def test_masked(self):
        recording, raw, plain = self.recorded()
        self.assertIn(b"visible", plain, "heads are captured at all")
        self.assertNotIn(b"s3cret", raw)
        self.assertNotIn(b"s3cret", plain)
        self.assertNotIn("s3cret", self.tailcap("requests", recording.file, "--json", "--headers"))
        self.assertNotIn("s3cret", self.tailcap("events", recording.file))
        rows = self.requests(recording, "--headers", role="server")
        self.assertEqual(len(rows), len(SECRETS) + 23)
        self.assertTrue(all(r["complete"] for r in rows))

    def test_unsafe_headers(self):
        recording, _, plain = self.recorded("--unsafe-headers")
        self.assertIn(b"s3cret-authorization", plain)
        for said in (self.tailcap("report", recording.file, "--full"), self.tailcap("info", recording.file)):
            self.assertRegex(said.lower(), "secret|unsafe|not masked|unmasked")


if __name__ == "__main__":
    harness.main()
