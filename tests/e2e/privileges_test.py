"""What the recorder may do, as whom it runs, and how it begins and ends."""
import os
import pathlib
import pwd
import select
import shutil
import signal
import socket
import subprocess
import time
import unittest

import harness
from harness import Case, free_port, wait_until

# By the kernel's numbers.
BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH, CHECKPOINT_RESTORE = 39, 38, 19, 2, 40
SYS_NICE = 23
KEPT = sum(1 << c for c in (BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH, CHECKPOINT_RESTORE))
NOBODY = pwd.getpwnam("nobody")


def text_of(path):
    """Empty where the process has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""


class Privileges(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.program = harness.BUILD / "capture/tailcap-record"

    def service(self, **options):
        command = [harness.BUILD / "samples/tailcap-sample-service", "--log", "/dev/null", "--port", self.port]
        process = self.start(command, stdout=subprocess.DEVNULL, **options)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the sample service")
        return process

    def recorder(self, file, *arguments, before=(), program=None, **options):
        """Starts a recorder and waits until it says on --ready-fd that it records; its stderr is in `said` once it has ended."""
        ready, writer = os.pipe()
        self.addCleanup(os.close, ready)
        log = self.scratch / "recorder.log"
        with open(log, "wb") as out:
            command = [*before, program or self.program, "-o", file, "--ready-fd", writer, *arguments]
            process = subprocess.Popen(
                [str(c) for c in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[writer],
                **options,
            )
        os.close(writer)
        self.addCleanup(self.end, process, signal.SIGKILL)
        process.log = log
        process.ready, process.rest = self.next_bytes(ready), self.next_bytes(
            ready
        )  # what it says, and that it closes the descriptor
        return process

    def next_bytes(self, descriptor):
        self.assertTrue(select.select([descriptor], [], [], 20)[0], "waited 20 s in vain for --ready-fd")
        return os.read(descriptor, 100)

    def finish(self, process, code=0, how=signal.SIGINT):
        process.send_signal(how)
        began = time.monotonic()
        self.assertEqual(process.wait(timeout=20), code, process.log.read_text())
        return time.monotonic() - began

    def status(self, process):
        """What /proc says of each thread."""
        out = []
        for status in pathlib.Path(f"/proc/{process.pid}/task").glob("*/status"):
            out.append(dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line))
        return out

    def assert_records(self, file, truth):
        rows = harness.json_lines(self.tailcap("requests", file, "--json"))
        self.assertEqual(len([r for r in rows if r["role"] == "server"]), len(truth))

    def test_what_root_keeps(self):
        service = self.service()
        process = self.recorder(self.scratch / "x.tcap", "-p", service.pid, "--sample", "99", "--stacks")
        self.assertEqual((process.ready, process.rest), (b"ready\n", b""))
        threads = self.status(process)
        self.assertGreater(len(threads), 1)
        for name in ("CapEff", "CapPrm"):
            kept = sorted(int(thread[name], 16) for thread in threads)
            self.assertEqual(kept, sorted([1 << SYS_NICE] + [KEPT] * (len(threads) - 1)))
        for thread in threads:
            for name in ("CapInh", "CapBnd", "CapAmb"):
                self.assertEqual(int(thread[name], 16), 0, (name, thread))
            self.assertEqual(thread["NoNewPrivs"], "1", thread)
            self.assertEqual(thread["Seccomp"], "2", thread)
        core = next(
            l for l in pathlib.Path(f"/proc/{process.pid}/limits").read_text().splitlines() if l.startswith("Max core")
        )
        self.assertEqual(core.split()[4:6], ["0", "0"], core)
        truth = self.load(self.url, "-n", "20")
        time.sleep(0.3)
        self.finish(process)
        self.assertIn(f"recording PID {service.pid} (tailcap-sample-)", process.log.read_text())
        self.assert_records(self.scratch / "x.tcap", truth)

    def record_as_nobody(self, capabilities, service):
        # A copy, for the build may be where only root may read.
        program = self.scratch / "tailcap-record"
        shutil.copy(self.program, program)
        folder = self.scratch / "theirs"
        folder.mkdir()
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
        given = ",".join(["-all", *("+" + c for c in capabilities)])
        before = [
            "setpriv",
            f"--reuid={NOBODY.pw_uid}",
            f"--regid={NOBODY.pw_gid}",
            "--clear-groups",
            f"--inh-caps={given}",
            f"--ambient-caps={given}",
            f"--bounding-set={given}",
        ]
        process = self.recorder(folder / "x.tcap", "-p", service.pid, before=before, program=program)
        self.assertEqual(process.ready, b"ready\n", process.log.read_text())
        for thread in self.status(process):
            self.assertEqual(thread["Uid"].split(), [str(NOBODY.pw_uid)] * 4)
            self.assertEqual(thread["NoNewPrivs"], "1", thread)
            self.assertEqual(thread["CapEff"], thread["CapPrm"])
            self.assertEqual(bin(int(thread["CapEff"], 16)).count("1"), len(capabilities), thread)
        truth = self.load(self.url, "-n", "20")
        time.sleep(0.3)
        self.finish(process)
        self.assertEqual((folder / "x.tcap").stat().st_uid, NOBODY.pw_uid)
        self.assert_records(folder / "x.tcap", truth)
        return harness.json_lines(self.tailcap("events", folder / "x.tcap", "--json"))

    def test_exactly_bpf_and_perfmon(self):
        service = self.service(user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[])
        events = self.record_as_nobody(["bpf", "perfmon"], service)
        # On a busy machine the first description has no executable; it follows with a later one.
        tasks = [e for e in events if e["kind"] == "task_info" and e["pid"] == service.pid]
        self.assertTrue(tasks[-1]["executable"].endswith("tailcap-sample-service"), tasks)

    def test_with_ptrace_also_of_other_users(self):
        service = self.service()
        events = self.record_as_nobody(["bpf", "perfmon", "sys_ptrace"], service)
        self.assertTrue([e for e in events if e["kind"] == "mapping"], "no mappings of another user's process")

    def test_a_folder_of_another_user(self):
        """Root has given up what it takes to write there; the capture gets its name, and nothing else stays."""
        service = self.service()
        folder = self.scratch / "theirs"
        folder.mkdir(mode=0o755)
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
        process = self.recorder(folder / "x.tcap", "-p", service.pid)
        self.assertEqual({f.name for f in folder.iterdir()}, {"x.tcap.partial", "x.tcap.control"})
        self.load(self.url, "-n", "3")
        self.finish(process)
        self.assertEqual({f.name for f in folder.iterdir()}, {"x.tcap"})
        self.assertEqual((folder / "x.tcap").stat().st_uid, 0)
        self.assert_blocks_sound(folder / "x.tcap")
        refused = self.recorder(folder / "x.tcap", "-p", service.pid)
        self.assertEqual(refused.wait(timeout=10), 1)
        again = self.recorder(folder / "x.tcap", "-p", service.pid, "--force")
        self.finish(again)
        self.assertEqual({f.name for f in folder.iterdir()}, {"x.tcap"})

    def test_the_command_runs_as_a_user(self):
        said = self.scratch / "said"
        said.touch()
        os.chmod(said, 0o666)
        script = f"(id -u; id -g; id -G; echo $HOME; echo $USER; echo $LOGNAME; grep -E 'CapEff|NoNewPrivs' /proc/self/status) > {said}"
        process = self.recorder(self.scratch / "x.tcap", "--user", "nobody", "--", "sh", "-c", script)
        self.assertEqual(process.wait(timeout=20), 0, process.log.read_text())
        self.assertEqual(
            said.read_text().split(),
            [
                str(NOBODY.pw_uid),
                str(NOBODY.pw_gid),
                str(NOBODY.pw_gid),
                NOBODY.pw_dir,
                "nobody",
                "nobody",
                "CapEff:",
                "0" * 16,
                "NoNewPrivs:",
                "0",
            ],
        )
        for arguments, code, word in (
            (["--user", "nosuch", "--", "true"], 1, "no user 'nosuch'"),
            (["--user", "nobody:nosuch", "--", "true"], 1, "no group 'nosuch'"),
            (["--user", "nobody", "-p", "1"], 2, "COMMAND"),
        ):
            done = subprocess.run(
                [self.program, "-o", self.scratch / "y.tcap", *arguments], capture_output=True, text=True, timeout=30
            )
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(word, done.stderr)

    def test_no_process_to_record(self):
        kernel_thread = next(
            int(p.parent.name)
            for p in sorted(pathlib.Path("/proc").glob("[0-9]*/stat"))
            if " (kthreadd) " in text_of(p)
        )
        process = self.recorder(self.scratch / "x.tcap", "-p", kernel_thread)
        self.assertEqual(process.wait(timeout=20), 1)
        self.assertIn(f"no process to record: process {kernel_thread}", process.log.read_text())
        self.assertEqual((process.ready, list(self.scratch.glob("x.tcap*"))), (b"", []))
        process = self.recorder(self.scratch / "y.tcap", "--comm", "no-such-name", "-d", "1s")
        self.assertEqual(process.wait(timeout=20), 1)
        self.assertIn("no process was recorded", process.log.read_text())

    def test_signals_while_it_starts(self):
        """Whenever they come: a sentence and no file, or a whole recording."""
        service = self.service()
        early = whole = 0
        for n, delay in enumerate((0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)):
            file, log = self.scratch / f"{n}.tcap", self.scratch / f"{n}.log"
            with open(log, "wb") as out:
                process = subprocess.Popen([self.program, "-o", file, "-p", str(service.pid)], stdout=out, stderr=out)
            self.addCleanup(self.end, process, signal.SIGKILL)
            time.sleep(delay)
            process.send_signal(signal.SIGINT if n % 2 else signal.SIGTERM)
            code = process.wait(timeout=10)
            said = log.read_text()
            left = sorted(p.name for p in self.scratch.glob(f"{n}.tcap*"))
            if code == 0:
                whole += 1
                self.assertEqual(left, [file.name])
                self.assert_blocks_sound(file)
            else:
                early += 1
                number = signal.SIGINT if n % 2 else signal.SIGTERM
                # The very first instructions are before any handler.
                self.assertIn(code, (128 + number, -number), said)
                self.assertEqual(left, [], said)
                if code > 0:
                    self.assertIn("before it recorded anything", said)
        self.assertGreater(early, 0)

    def test_nobody_reads_what_it_prints(self):
        service = self.service()
        ready, writer = os.pipe()
        os.close(ready)
        process = subprocess.Popen(
            [self.program, "-o", self.scratch / "x.tcap", "-p", str(service.pid), "-d", "1s"],
            stdout=writer,
            stderr=writer,
        )
        os.close(writer)
        self.addCleanup(self.end, process, signal.SIGKILL)
        self.assertEqual(process.wait(timeout=20), 0)
        self.assert_blocks_sound(self.scratch / "x.tcap")

    def test_a_stale_control_socket(self):
        stale = self.scratch / "x.tcap.control"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.bind(str(stale))
        done = subprocess.run(
            [self.program, "control", self.scratch / "x.tcap", "note", "a=b"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("killed", done.stderr)
        self.assertFalse(stale.exists())


if __name__ == "__main__":
    harness.main()
