"""Faults of CPU time, scheduling and memory."""
import contextlib
import os
import subprocess
import sys
import threading
import time

from inject import groups

from faults.files import big_file
from faults.fault import LOAD, routes


@contextlib.contextmanager
def spinners(run, service):
    """Now and then twice as many busy processes as CPUs."""
    program = "import time\nwhile True:\n e=time.monotonic()+.4\n while time.monotonic()<e: pass\n time.sleep(.4)"
    children = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2 * os.cpu_count())]
    try:
        yield
    finally:
        for c in children:
            c.kill()
            c.wait()


def quota(run):
    """40 ms of CPU where 30 are to be had in every 100; one request at a time, so that none waits for another."""
    service = run.service()
    with groups.group("cpu", {"cpu.cfs_period_us": 100000, "cpu.cfs_quota_us": 30000}) as folder:
        groups.join(folder, service.pid)
        with run.recording():
            run.load(
                "127.0.0.1",
                service.port,
                "--rate",
                "9",
                "-c",
                "1",
                "-d",
                "7",
                *routes("1 GET /contend/40", "2 GET /contend/1"),
            )


def stops(stop, go):
    """Stops the service for 300 ms, three times."""

    @contextlib.contextmanager
    def during(run, service):
        run.extra["stops"] = []

        def act():
            run.extra["sender"] = threading.get_native_id()
            for _ in range(3):
                time.sleep(0.6)
                begin = time.monotonic_ns()
                stop(service)
                time.sleep(0.3)
                go(service)
                run.extra["stops"].append((begin, time.monotonic_ns()))

        thread = threading.Thread(target=act)
        thread.start()
        yield
        thread.join()

    return during


def page_faults(run):
    service = run.service("threads", f"file={big_file(run)}")
    with run.recording():
        run.load(
            "127.0.0.1",
            service.port,
            "--rate",
            "60",
            "-c",
            "4",
            "-d",
            "3",
            *routes("1 GET /pages/400", "7 GET /pages/0", "2 GET /ok"),
        )


def frozen(controller, file, stop, go):
    """Freezes the service's group for 300 ms, three times."""

    def act(run):
        service = run.service()
        with groups.group(controller, {}) as folder:
            groups.join(folder, service.pid)

            def write(value):
                (folder / file).write_text(value)

            with run.recording(), stops(lambda s: write(stop), lambda s: write(go))(run, service):
                run.load("127.0.0.1", service.port, *LOAD, *routes("1 GET /ok"))

    return act


def memory_cap(run):
    """Less memory than the pages that are read."""
    service = run.service("threads", f"file={big_file(run)}")
    with groups.group("memory", {"memory.limit_in_bytes": 8 << 20}) as folder:
        groups.join(folder, service.pid)
        with run.recording():
            run.load(
                "127.0.0.1",
                service.port,
                "--rate",
                "30",
                "-c",
                "4",
                "-d",
                "4",
                *routes("1 GET /pages/3000", "7 GET /pages/0", "2 GET /ok"),
            )
