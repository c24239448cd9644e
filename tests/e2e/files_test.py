"""Files that handlers open and read: each request's own, by path, and nobody else's."""
import concurrent.futures
import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import harness
from harness import Case, answers, free_port, json_lines, wait_until

LAB = pathlib.Path(__file__).resolve().parent.parent / "lab"
SLOW = 0.03

# GET /config/N opens config-N; /missing/N does not find missing-N; /relative/N opens it by a relative path; /slow/N reads a page of
# the slow file; /plain/N touches nothing.
THREADS = r"""
import http.server, os, sys
folder, slow = sys.argv[2:4]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, what, n = self.path.split("/")
        status = 200
        if what == "config":
            os.close(os.open(f"{folder}/config-{n}", os.O_RDONLY))
        elif what == "relative":
            os.close(os.open(f"config-{n}", os.O_RDONLY))
        elif what == "missing":
            try: os.open(f"{folder}/missing-{n}", os.O_RDONLY)
            except FileNotFoundError: status = 404
        elif what == "slow":
            file = os.open(slow, os.O_RDONLY)
            os.pread(file, 4096, 0)
            os.close(file)
        self.send_response(status)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")
    def log_message(self, *_): pass
os.chdir(folder)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

# One loop: each request opens its file before it sleeps a little, or after, or on both sides.
LOOP = r"""
import asyncio, os, sys
folder = sys.argv[2]
async def serve(reader, writer):
    while head := await reader.readline():
        n = int(head.split()[1].split(b"/")[2])
        while await reader.readline() != b"\r\n": pass
        if n % 3 != 1: os.close(os.open(f"{folder}/config-{n}", os.O_RDONLY))
        await asyncio.sleep(0.002 * (n % 5))
        if n % 3 != 0: os.close(os.open(f"{folder}/config-{n}", os.O_RDONLY))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server: await server.serve_forever()
asyncio.run(main())
"""

GO = r"""
package main

import (
	"net/http"
	"os"
	"strings"
)

func main() {
	http.HandleFunc("/config/", func(w http.ResponseWriter, r *http.Request) {
		data, err := os.ReadFile(os.Args[2] + "/config-" + strings.TrimPrefix(r.URL.Path, "/config/"))
		if err != nil {
			panic(err)
		}
		w.Write(data)
	})
	http.HandleFunc("/plain/", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
"""


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


class Files(Case):
    def setUp(self):
        super().setUp()
        self.folder = self.scratch / "files"
        self.folder.mkdir()
        for n in range(200):
            (self.folder / f"config-{n}").write_text("a = 1\n")

    def serve(self, program, *arguments):
        port = free_port()
        process = self.start(
            [*program, port, self.folder, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: answers(("127.0.0.1", port)), "the server")
        return process, port

    def shown(self, recording):
        """Every request that was served, by its path, with its calls on files."""
        found = {}
        for row in self.requests(recording, role="server"):
            self.assertNotIn(row["path"], found)
            found[row["path"]] = json.loads(self.tailcap("show", recording.file, row["id"], "--json"))["end"]
        return found

    def check_times(self, end):
        for call in end["files"]:
            self.assertLessEqual(0, call["from_ns"])
            self.assertLess(call["from_ns"], call["to_ns"])
            self.assertLessEqual(call["to_ns"], end["request"]["duration_ns"])

    def slow_file(self):
        """A file of which every read takes SLOW seconds, or None."""
        if not os.path.exists("/dev/fuse") or not importlib.util.find_spec("pyfuse3"):
            # Debian's package serves the distribution's Python only.
            if (
                not os.path.exists("/dev/fuse")
                or subprocess.run(["/usr/bin/python3", "-c", "import pyfuse3"], capture_output=True).returncode
            ):
                return None
        mount = self.scratch / "mount"
        mount.mkdir()
        python = sys.executable if importlib.util.find_spec("pyfuse3") else "/usr/bin/python3"
        server = self.start(
            [python, LAB / "inject/slow_files.py", mount, SLOW * 1000], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.assertEqual(server.stdout.readline(), b"ready\n")
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.communicate)  # unmounts
        return mount / "slow"

    def test_a_thread_for_each_request(self):
        slow = self.slow_file()
        server, port = self.serve([sys.executable, "-c", THREADS], slow or "/nonexistent")
        wanted = [f"/{what}/{n}" for n in range(8) for what in ("config", "plain", "missing", "relative")]
        wanted += [f"/slow/{n}" for n in range(3 if slow else 0)]
        with self.record("-p", server.pid, "--add", "files") as recording:
            with concurrent.futures.ThreadPoolExecutor(4) as clients:
                list(clients.map(lambda path: get(port, path), wanted))
        self.end(server)
        found = self.shown(recording)
        self.assertEqual(sorted(found), sorted(wanted))
        for path, end in found.items():
            _, what, n = path.split("/")
            files = [(f["act"], f["fs.file.path"], f["error"]) for f in end["files"]]
            self.assertEqual((end["files_left_out"], end["files_doubtful"]), (0, 0))
            self.check_times(end)
            if what == "slow":
                self.assertEqual(files, [("open", str(slow), None), ("read", str(slow), None)])
                read = end["files"][1]
                self.assertGreaterEqual(read["to_ns"] - read["from_ns"], SLOW * 1e9)
                self.assertIn(
                    read["result"], (4096, None)
                )  # null: something else was read before the thread left the CPU
            else:
                # A busy disk can make an open's neighbours slow enough to be told, never here: nothing is read.
                self.assertEqual(
                    files,
                    {
                        "config": [("open", f"{self.folder}/config-{n}", None)],
                        "relative": [("open", f"config-{n}", None)],
                        "missing": [("open", f"{self.folder}/missing-{n}", "ENOENT")],
                        "plain": [],
                    }[what],
                    path,
                )
        some = next(row["id"] for row in self.requests(recording, role="server") if row["path"] == "/missing/3")
        self.assertRegex(
            self.tailcap("show", recording.file, some), rf"open {self.folder}/missing-3: No such file or directory"
        )
        self.assertIn("missing-3: No such file", self.tailcap("show", recording.file, some, "--format", "html"))
        # Everything in the capture, from any process.
        told = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "file_call"))
        self.assertEqual(sum(e["path"].startswith(f"{self.folder}/config-") for e in told), 8)
        if not slow:
            print("  no FUSE here: slow reads not tried")

    def test_without_being_asked(self):
        server, port = self.serve([sys.executable, "-c", THREADS], "/nonexistent")
        with self.record("-p", server.pid) as recording:
            get(port, "/config/1")
        self.assertEqual(self.tailcap("events", recording.file, "--json", "--kind", "file_call"), "")
        self.assertIsNone(self.shown(recording)["/config/1"]["files"])

    def test_slow_fsync(self):
        """A file with a path of many directories, written and synced: the call is told once, however often it waits."""
        deep = pathlib.Path("/var/tmp") / f"tailcap-files-{os.getpid()}"
        self.addCleanup(shutil.rmtree, deep, ignore_errors=True)
        folder = deep.joinpath(*(f"directory-{i:02}-{'x' * 20}" for i in range(9)))
        folder.mkdir(parents=True)
        program = self.start(
            [
                sys.executable,
                "-c",
                r"""
import os, sys, time
sys.stdin.readline()
for path in sys.argv[1:]:
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(file, os.urandom(1 << 20))
    begin = time.monotonic_ns()
    os.fsync(file)
    print(begin, time.monotonic_ns(), flush=True)
    os.close(file)
sys.stdin.readline()
""",
                deep / "short",
                folder / "long",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with self.record("-p", program.pid, "--add", "files", "--slow-file", "1us") as recording:
            program.stdin.write("go\n")
            program.stdin.flush()
            times = [tuple(map(int, program.stdout.readline().split())) for _ in range(2)]
            program.communicate("end\n", timeout=10)
        told = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "file_call"))
        for (begin, end), whole in zip(times, (deep / "short", folder / "long")):
            inside = [e for e in told if e["act"] == "sync" and begin <= e["began"] and e["time"] <= end]
            self.assertLessEqual(len(inside), 1, inside)
            if not inside:
                continue  # the disk was done before the thread slept
            name = inside[0]["path"]
            if len(str(whole)) < 200:
                self.assertEqual(name, str(whole))
            else:
                self.assertTrue(name.startswith("…/directory-") and str(whole).endswith(name[1:]), name)
                self.assertGreater(len(name), 200)

    def check_own(self, end, path, times):
        """However many are attached, they are its own."""
        n = path.split("/")[2]
        self.assertLessEqual(len(end["files"]), times)
        for call in end["files"]:
            self.assertEqual(call["fs.file.path"], f"{self.folder}/config-{n}", path)
        self.check_times(end)

    def test_a_loop(self):
        server, port = self.serve([sys.executable, "-c", LOOP])
        wanted = [f"/config/{n}" for n in range(120)]
        with self.record("-p", server.pid, "--add", "files") as recording:
            for n in range(20):
                get(port, wanted[n])
            with concurrent.futures.ThreadPoolExecutor(6) as clients:
                list(clients.map(lambda path: get(port, path), wanted[20:]))
        found = self.shown(recording)
        self.assertEqual(sorted(found), sorted(wanted))
        attached = 0
        for path, end in found.items():
            n = int(path.split("/")[2])
            times = 2 if n % 3 == 2 else 1
            self.check_own(end, path, times)
            self.assertTrue(all(call["evidence"] == "inferred" for call in end["files"]))
            if n < 20:  # alone
                self.assertEqual((len(end["files"]), end["files_doubtful"]), (times, 0), path)
            else:
                self.assertGreaterEqual(len(end["files"]) + end["files_doubtful"], times, path)
            attached += len(end["files"])
        print(f"  a loop: {attached} of 160 opens attached, none wrongly")

    def test_go(self):
        if not shutil.which("go"):
            self.fail("no Go here: scripts/install-packages test")
        source = self.scratch / "server.go"
        source.write_text(GO)
        subprocess.run(
            ["go", "build", "-o", self.scratch / "server", source],
            check=True,
            env={**os.environ, "GOFLAGS": "-mod=mod", "GO111MODULE": "off"},
        )
        server, port = self.serve([self.scratch / "server"])
        wanted = [f"/{what}/{n}" for n in range(40) for what in ("config", "plain")]
        with self.record("-p", server.pid, "--add", "files") as recording:
            with concurrent.futures.ThreadPoolExecutor(6) as clients:
                list(clients.map(lambda path: get(port, path), wanted))
        self.end(server)
        found = self.shown(recording)
        self.assertEqual(sorted(found), sorted(wanted))
        for path, end in found.items():
            opens = [f["fs.file.path"] for f in end["files"] if f["act"] == "open"]
            n = path.split("/")[2]
            self.assertEqual(opens, [f"{self.folder}/config-{n}"] if path.startswith("/config") else [], path)
            self.check_times(end)


if __name__ == "__main__":
    harness.main()
