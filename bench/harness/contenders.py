"""What runs beside the server while it is measured. Each is a context manager that is ready when it is entered."""
import ctypes
import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import threading
import time


class Nothing:
    """Not recorded: what everything is compared with, and, as a contender of its own, the noise floor."""

    name = "not recorded (A/A)"

    def __init__(self, scratch, build):
        self.pid = None
        self.facts = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def settled(self):
        """The load has settled; the measurement begins."""


def of(server):
    """A process, or several, as the recorder's -p takes them."""
    return ",".join(map(str, server)) if isinstance(server, list) else str(server)


class Process(Nothing):
    """A program that writes a file, says when it is ready, and ends at SIGINT."""

    def __init__(self, scratch, build):
        super().__init__(scratch, build)
        self.build = build
        handle, name = tempfile.mkstemp(dir=scratch)
        os.close(handle)
        os.unlink(name)
        self.file = pathlib.Path(name)
        self.errors = pathlib.Path(name + ".err")

    def command(self, server, ports):
        raise NotImplementedError

    def ready(self):
        raise NotImplementedError

    def aim(self, server, ports):
        self.arguments = self.command(server, ports)
        return self

    def __enter__(self):
        with open(self.errors, "wb") as err:
            self.process = subprocess.Popen(self.arguments, stdout=err, stderr=err)
        self.pid = self.process.pid
        deadline = time.monotonic() + 20
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.arguments[0]} did not start: {self.errors.read_text()}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.facts = self.read_facts()
        self.facts["file_bytes"] = self.file.stat().st_size if self.file.exists() else 0
        self.file.unlink(missing_ok=True)
        self.errors.unlink(missing_ok=True)

    def read_facts(self):
        return {}


class Tailcap(Process):
    name = "tailcap-record"
    extra = []

    def ready(self):
        """The preamble has company: probes are attached. Each block begins with the same magic."""
        partial = self.file.with_name(self.file.name + ".partial")
        return partial.exists() and partial.read_bytes().count(b"\x54\x2a\x4d\x18") >= 2

    def command(self, server, ports):
        return [str(self.build / "capture/tailcap-record"), *self.extra, "-p", of(server), "-o", str(self.file)]

    def read_facts(self):
        info = subprocess.run([self.build / "analyze/tailcap", "info", "--json", self.file], capture_output=True)
        facts = json.loads(info.stdout) if info.returncode in (0, 3) and info.stdout else {}  # 3: events were lost
        return {
            "events": facts.get("events"),
            "lost": facts.get("lost"),
            "info": facts,
            "said": self.errors.read_text(),
        }


class TailcapEarlier(Tailcap):
    """The recorder of another build, e.g. of an earlier commit."""

    name = "tailcap-record, earlier"
    build_of = None  # its build folder

    def command(self, server, ports):
        return [str(self.build_of / "capture/tailcap-record"), "-p", of(server), "-o", str(self.file)]


class TailcapBatch(Tailcap):
    """Without the right to be an idle task."""

    name = "tailcap-record without CAP_SYS_NICE"

    def command(self, server, ports):
        return ["setpriv", "--bounding-set=-sys_nice", *super().command(server, ports)]


class TailcapTierC(Tailcap):
    name = "tailcap-record, tier C"
    extra = ["--tier", "c"]


class TailcapDeep(Tailcap):
    name = "tailcap-record --profile deep"
    extra = ["--profile", "deep"]


class TailcapSamples(Tailcap):
    name = "tailcap-record --sample 99"
    extra = ["--sample", "99"]


class TailcapLongWaits(Tailcap):
    name = "tailcap-record --stacks=long"
    extra = ["--stacks=long"]


class TailcapStacks(Tailcap):
    name = "tailcap-record --sample 99 --stacks=long"
    extra = ["--sample", "99", "--stacks=long"]


class TailcapKeys(Tailcap):
    name = "tailcap-record --tls keys"
    extra = ["--tls", "keys"]


class TailcapWithoutGo(Tailcap):
    name = "tailcap-record without go, tls"
    extra = ["--only", "io,arrivals,offcpu,tasks,net"]


class TailcapOverrun(Tailcap):
    """Events come about ten times as fast as the rings can take them: the recorder is stopped most of the time. How many
    were lost is in the table."""

    name = "tailcap-record, rings overrun"
    extra = ["--ring", "1MiB"]
    stopped, running = 0.45, 0.02  # seconds

    def __enter__(self):
        super().__enter__()
        self.over = threading.Event()
        self.stopper = threading.Thread(target=self.stop_and_go)
        self.stopper.start()
        return self

    def stop_and_go(self):
        while not self.over.is_set():
            self.process.send_signal(signal.SIGSTOP)
            self.over.wait(self.stopped)
            self.process.send_signal(signal.SIGCONT)
            self.over.wait(self.running)

    def __exit__(self, *_):
        self.over.set()
        self.stopper.join()
        super().__exit__(*_)


class TailcapStopped(Tailcap):
    """Stops its threads while it is measured, so that only its programs in the kernel run. The rings hold all that they
    write meanwhile."""

    name = "tailcap-record, its threads stopped"
    extra = ["--ring", "128MiB"]

    def settled(self):
        self.process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        super().__exit__(*_)


class Tcpdump(Process):
    name = "tcpdump -w"

    def ready(self):
        return b"listening on" in self.errors.read_bytes()

    def command(self, server, ports):
        words = " or ".join(f"tcp port {port}" for port in ports)
        return ["tcpdump", "-i", "lo", "-B", "65536", "-w", str(self.file), "-Z", "root", words]

    def read_facts(self):
        dropped = [l for l in self.errors.read_text().splitlines() if "dropped by kernel" in l]
        return {"lost": int(dropped[0].split()[0]) if dropped else None}


class Empty(Nothing):
    """Programs that do nothing on the two hooks of every send and receive: the price of being there at all."""

    name = "empty programs"
    SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("tp_btf/sock_send_length") int empty_send(void *ctx) { return 0; }
SEC("tp_btf/sock_recv_length") int empty_receive(void *ctx) { return 0; }
char LICENSE[] SEC("license") = "Dual BSD/GPL";
"""

    def __init__(self, scratch, build):
        super().__init__(scratch, build)
        self.object = pathlib.Path(scratch) / "empty.bpf.o"
        self.pins = pathlib.Path(f"/sys/fs/bpf/tailcap-bench-{os.getpid()}")

    def aim(self, server, ports):
        if not self.object.exists():
            source = self.object.with_suffix(".c")
            source.write_text(self.SOURCE)
            subprocess.run(
                [
                    "clang",
                    "-target",
                    "bpf",
                    "-mcpu=v3",
                    "-O2",
                    "-g",
                    "-I/usr/include/x86_64-linux-gnu",
                    "-c",
                    str(source),
                    "-o",
                    str(self.object),
                ],
                check=True,
            )
        if not os.path.ismount("/sys/fs/bpf"):
            subprocess.run(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=True)
        return self

    def __enter__(self):
        subprocess.run(
            ["bpftool", "prog", "loadall", str(self.object), str(self.pins)], check=True, capture_output=True
        )
        self.open = []
        for pin in self.pins.iterdir():
            name = ctypes.create_string_buffer(bytes(pin) + b"\0")
            program = bpf(BPF_OBJ_GET, struct.pack("<QII", ctypes.addressof(name), 0, 0))
            self.open += [program, bpf(BPF_RAW_TRACEPOINT_OPEN, struct.pack("<QII", 0, program, 0))]
            pin.unlink()
        self.pins.rmdir()
        return self

    def __exit__(self, *_):
        for descriptor in self.open:  # closing the link detaches
            os.close(descriptor)


BPF_OBJ_GET, BPF_RAW_TRACEPOINT_OPEN = 7, 17


def bpf(command, attributes):
    """The system call; Debian's bpftool loads such programs but cannot attach them."""
    result = ctypes.CDLL(None, use_errno=True).syscall(321, command, attributes, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}) failed: {os.strerror(ctypes.get_errno())}")
    return result


CONTENDERS = {
    "aa": Nothing,
    "tailcap": Tailcap,
    "earlier": TailcapEarlier,
    "batch": TailcapBatch,
    "tierc": TailcapTierC,
    "deep": TailcapDeep,
    "nogo": TailcapWithoutGo,
    "samples": TailcapSamples,
    "longwaits": TailcapLongWaits,
    "stacks": TailcapStacks,
    "keys": TailcapKeys,
    "overrun": TailcapOverrun,
    "stopped": TailcapStopped,
    "tcpdump": Tcpdump,
    "empty": Empty,
}
