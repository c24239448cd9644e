"""Which processes a name means, and what recorded processes are called."""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import Case, Recording, free_port, wait_until

# A server that takes another name when it is asked to: /rename/NAME
SERVER = r"""
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/rename/"):
            with open("/proc/self/comm", "w") as comm:
                comm.write(self.path.split("/")[2])
        self.send_response(200)
        self.send_header("content-length", "2")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"ok")
    do_POST = do_GET
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

NODE = r"""
require("http").createServer((request, response) => { response.setHeader("connection", "close"); response.end("ok"); })
  .listen(Number(process.argv[2]), "127.0.0.1");
"""

# Two processes that accept from one socket, none of them the other's descendant. The first line printed has their numbers.
SIBLINGS = r"""
import os, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
pids = []
for turn in range(2):
    pid = os.fork()
    if pid == 0:
        while True:
            connection, _ = listener.accept()
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            time.sleep(0.005)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            connection.close()
    pids.append(pid)
listener.close()
print(*pids, flush=True)
time.sleep(600)
"""


# clone3 with a chosen number: the kernel gives out numbers that are free.
def run_as(pid, command):
    """Starts a command as the process of this number, which must be free."""

    class Arguments(ctypes.Structure):
        _fields_ = [
            (name, ctypes.c_uint64)
            for name in (
                "flags",
                "pidfd",
                "child_tid",
                "parent_tid",
                "exit_signal",
                "stack",
                "stack_size",
                "tls",
                "set_tid",
                "set_tid_size",
                "cgroup",
            )
        ]

    number = (ctypes.c_int * 1)(pid)
    arguments = Arguments(exit_signal=signal.SIGCHLD, set_tid=ctypes.addressof(number), set_tid_size=1)
    libc = ctypes.CDLL(None, use_errno=True)
    words = [str(word).encode() for word in command]
    vector = (ctypes.c_char_p * (len(words) + 1))(*words, None)
    got = libc.syscall(435, ctypes.byref(arguments), ctypes.sizeof(arguments))
    if got == 0:
        libc.execv(vector[0], vector)
        os._exit(127)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got


class Targets(Case):
    BY_OTHER_NAMES = True

    def serve(self, script, text=SERVER, program=sys.executable):
        port = free_port()
        path = self.scratch / script
        path.write_text(text)
        process = self.start([program, path, port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), script)
        return process, port

    def ask(self, port, count, tag, path="/a"):
        return self.load(
            f"http://127.0.0.1:{port}", "-c", "1", "-n", str(count), "--id", f"{tag}-", "--route", f"1 GET {path}"
        )

    def test_interpreters_are_named_by_their_script(self):
        process, port = self.serve("shop.py")
        pids, ports = [process.pid], [port]
        names = {"shop.py"}
        if shutil.which("node"):
            other, other_port = self.serve("cart.js", NODE, shutil.which("node"))
            pids.append(other.pid)
            ports.append(other_port)
            names.add("cart.js")
        with self.record("-p", *pids) as recording:
            truth = [one for each in ports for one in self.ask(each, 10, f"n{each}")]
        rows = self.requests(recording, role="server")
        self.assert_same(truth, rows)
        self.assertEqual({row["comm"] for row in rows}, names)
        # Every export calls them alike.
        self.assertEqual({row["service_name"] for row in rows}, names)
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        self.assertEqual({route["comm"] for route in report["routes"]}, names)
        topology = json.loads(self.tailcap("topology", recording.file, "--json"))
        self.assertLessEqual(names, {node["name"] for node in topology["nodes"]})
        for name in ("otlp-json", "loki", "openmetrics"):
            text = self.export(recording, name)
            for service in names:
                self.assertIn(f'"{service}"', text, name)
            self.assertNotIn('"python3"', text)
        # And what follows the script is on no disk.
        for event in harness.json_lines(self.tailcap("events", recording.file, "--json", "--kind", "task_info")):
            self.assertNotIn(str(port), event.get("service") or "")

    def export(self, recording, name):
        out = self.scratch / f"{name}.out"
        self.tailcap("export", recording.file, "--format", name, "-o", out)
        return out.read_text(errors="replace")

    def test_service_by_script(self):
        process, port = self.serve("till-7.py")
        with self.record("--service", "till-7") as recording:
            truth = self.ask(port, 10, "s")
        rows = self.requests(recording, role="server")
        self.assert_same(truth, rows)
        self.assertEqual({row["pid"] for row in rows}, {process.pid})

    def test_wrong_choices_are_answered_with_what_runs(self):
        process, _ = self.serve("till-8.py")
        wrong = Recording(self.scratch / "wrong.tcap", ["--service", "till-9.py"])
        self.assertEqual(wrong.wait_end(), 1, wrong.said)
        self.assertIn("no process is of the service till-9.py; there is till-8.py: --service till-8.py", wrong.said)
        self.assertFalse(wrong.file.exists())
        nothing = Recording(self.scratch / "nothing.tcap", ["-p"])
        self.assertEqual(nothing.wait_end(), 2, nothing.said)
        self.assertIn("--service NAME", nothing.said)
        with self.record("--comm", "till-8.py", "-p", process.pid) as recording:
            pass
        self.assertIn(
            f"no process is called till-8.py now; {pathlib.Path(f'/proc/{process.pid}/exe').readlink().name} runs till-8.py as "
            f"{process.pid}: --service till-8.py",
            recording.said,
        )

    def test_a_name_that_is_given(self):
        process, port = self.serve("shop.py")
        with self.record("-p", process.pid, "--name", f"{process.pid}=till shop") as recording:
            self.ask(port, 5, "n")
        self.assertEqual({row["comm"] for row in self.requests(recording, role="server")}, {"till shop"})

    def test_renamed(self):
        process, port = self.serve("shop.py")
        with self.record("-p", process.pid) as recording:
            self.ask(port, 5, "early")
            self.ask(port, 1, "rename", "/rename/till-late")
            self.ask(port, 10, "soon")
            time.sleep(0.5)
            self.ask(port, 10, "late")
        rows = self.requests(recording, role="server")
        names = {}
        for row in rows:
            names.setdefault(row["x_request_id"].split("-")[0], set()).add(row["comm"])
        self.assertEqual(
            names, {"early": {"shop.py"}, "rename": {"till-late"}, "soon": {"till-late"}, "late": {"till-late"}}
        )
        # One service, which is called as most of its requests say.
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        self.assertEqual({route["comm"] for route in report["routes"] if route["role"] == "server"}, {"till-late"})
        self.assertEqual({row["service_name"] for row in rows}, {"till-late"})

    def test_a_process_that_takes_a_chosen_name(self):
        process, port = self.serve("shop.py")
        with self.record("--comm", "till-taken") as recording:
            self.ask(port, 3, "before")
            self.ask(port, 1, "rename", "/rename/till-taken")
            time.sleep(1.5)  # its sockets are described within a second
            truth = self.ask(port, 20, "after")
        rows = [
            row for row in self.requests(recording, role="server") if (row["x_request_id"] or "").startswith("after")
        ]
        self.assert_same(truth, rows)
        self.assertEqual({row["pid"] for row in rows}, {process.pid})

    def test_a_number_that_is_given_again(self):
        scripts = []
        for name in ("first.py", "second.py"):
            scripts.append(self.scratch / name)
            scripts[-1].write_text(SERVER)
        ports = [free_port(), free_port()]
        pid = 0
        truth = []
        with self.record("-p", os.getpid()) as recording:
            for script, port in zip(scripts, ports):
                if pid == 0:
                    pid = self.start([sys.executable, script, port]).pid
                    process = None
                else:
                    process = run_as(pid, [os.path.realpath(sys.executable), script, port])
                wait_until(lambda: harness.answers(("127.0.0.1", port)), script.name)
                truth += self.ask(port, 10, script.stem)
                time.sleep(0.5)  # its command line is read from /proc soon after it began, not at once
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        rows = self.requests(recording, role="server")
        self.assert_same(truth, rows)
        self.assertEqual({row["pid"] for row in rows}, {pid})
        self.assertEqual(
            {(row["x_request_id"].split("-")[0] + ".py", row["comm"]) for row in rows},
            {("first.py", "first.py"), ("second.py", "second.py")},
        )
        topology = json.loads(self.tailcap("topology", recording.file, "--json"))
        self.assertLessEqual({"first.py", "second.py"}, {node["name"] for node in topology["nodes"]})
        self.assertEqual(
            sorted(
                p["requests"]
                for p in json.loads(self.tailcap("report", recording.file, "--json"))["quality"]["processes"]
                if p["pid"] == pid
            ),
            [10, 10],
        )

    def test_holders_of_a_listening_socket(self):
        port = free_port()
        parent = self.start([sys.executable, "-c", SIBLINGS, port], stdout=subprocess.PIPE, text=True)
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.stdout.close()
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in pids])
        with self.record("-p", pids[0]) as recording:
            truth = self.load(f"http://127.0.0.1:{port}", "-c", "4", "-n", "40", "--route", "1 GET /a")
        rows = self.requests(recording, role="server")
        self.assert_same(truth, rows)
        self.assertEqual({row["pid"] for row in rows}, set(pids))
        for row in rows:
            self.assertGreater(
                sum(part["ns"] for part in row["labels"] if part["label"] == "timer.sleep"), 4_000_000, row
            )

    def test_a_command_ends_with_its_recorder(self):
        for how in (signal.SIGINT, signal.SIGKILL):
            port = free_port()
            (self.scratch / "shop.py").write_text(SERVER)
            recording = Recording(
                self.scratch / f"command{how}.tcap", ["--", sys.executable, self.scratch / "shop.py", port]
            )
            self.addCleanup(self.abandon, recording)
            wait_until(lambda: harness.answers(("127.0.0.1", port)), "the command")
            # Launchers of the recorder and the command: the latter serves.
            command = next(
                pid
                for pid in map(
                    int,
                    pathlib.Path(f"/proc/{recording.process.pid}/task/{recording.process.pid}/children")
                    .read_text()
                    .split(),
                )
                if "shop.py" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()
            )
            os.kill(recording.process.pid, how)  # not its command, as Ctrl-C on a terminal
            recording.process.wait(30)
            wait_until(
                lambda: not pathlib.Path(f"/proc/{command}").exists()
                or pathlib.Path(f"/proc/{command}/stat").read_text().split(")")[1].split()[0] == "Z",
                "the end of the command",
                seconds=10,
            )

    def test_a_pid_namespace_is_the_reason(self):
        process, _ = self.serve("shop.py")
        done = subprocess.run(
            [
                "unshare",
                "--pid",
                "--fork",
                "--mount-proc",
                harness.BUILD / "capture/tailcap-record",
                "-a",
                "-d",
                "1s",
                "-o",
                self.scratch / "inside.tcap",
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("pid namespace", done.stderr)
        self.assertIn("--pid=host", done.stderr)


if __name__ == "__main__":
    harness.main()
