"""The gRPC server under test: C++, callbacks, one CPU; h2load calls it with a message of 64 bytes."""
import pathlib
import re
import subprocess

from harness.nginx import free_port, wait_for


class Grpc:
    what = "gRPC (C++) on CPU 0, h2load on CPU 1"

    def __init__(self, folder, cpu, build):
        self.message = pathlib.Path(folder) / "message"
        self.cpu = cpu
        self.program = build / "bench/tailcap-bench-grpc"
        self.port = free_port()
        self.ports = [self.port]

    def __enter__(self):
        self.message.write_bytes(b"\0" + (64).to_bytes(4, "big") + b"m" * 64)
        self.process = subprocess.Popen(["taskset", "-c", str(self.cpu), str(self.program), str(self.port)])
        self.worker = self.process.pid
        wait_for(self.port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)

    def saturate(self, seconds):
        out = subprocess.run(
            [
                "taskset",
                "-c",
                "1",
                "h2load",
                "-t1",
                "-c8",
                "-m8",
                f"-D{seconds}",
                "-d",
                str(self.message),
                "-H",
                "content-type: application/grpc",
                "-H",
                "te: trailers",
                f"http://127.0.0.1:{self.port}/bench.Echo/Call",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        done = int(re.search(r"(\d+) succeeded", out)[1])
        assert done > 0, out
        return {"requests": done, "per_second": done / seconds}
