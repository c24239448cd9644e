"""The server under test: Redis, saturated by redis-benchmark, with one command at a time on each connection or sixteen."""
import re
import subprocess

from .nginx import free_port, wait_for


class Redis:
    """GET of eight bytes on 50 connections. A request is a command. Nothing is written to the disk."""

    scheme = "redis"
    path = "GET"
    pipeline = 1
    what = "redis-server on CPU 0, redis-benchmark on CPU 1"
    commands_a_second = 40_000  # about, beside a recorder: how many a round has

    def __init__(self, folder, cpu, _build):
        self.folder = folder
        self.cpu = cpu
        self.port = free_port()
        self.ports = [self.port]

    def __enter__(self):
        settings = ("--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(self.cpu), "redis-server", *map(str, settings)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        wait_for(self.port)
        self.worker = self.process.pid
        self.ask("set", 1000)  # 50 may take no time by the clock of redis-benchmark
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)

    def ask(self, command, count):
        said = subprocess.run(
            ["taskset", "-c", "1", "redis-benchmark", "-p", str(self.port), "-t", command, "-n", str(count), "-d", "8"]
            + ["-c", "50", "-P", str(self.pipeline), "--precision", "3", "-q"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return float(re.findall(r"([\d.]+) requests per second", said)[-1])

    def saturate(self, seconds):
        count = seconds * self.commands_a_second * self.pipeline // (4 if self.pipeline > 1 else 1)
        return {"requests": count, "per_second": self.ask("get", count)}


class RedisPipeline(Redis):
    pipeline = 16
    what = "redis-server on CPU 0, redis-benchmark with a pipeline of 16 on CPU 1"
