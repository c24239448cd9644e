"""Faults of files, pipes and disks."""
import contextlib
import os
import pathlib
import subprocess
import sys

from inject import groups

from faults.fault import HERE, LOAD, PYTHON, routes


def big_file(run):
    file = pathlib.Path("/var/tmp") / f"tailcap-lab-{os.getpid()}"
    if not file.exists():
        file.write_bytes(os.urandom(64 << 20))
        os.sync()
    run.stack.callback(file.unlink, missing_ok=True)
    return file


def disk_cap(path):
    """1 MiB a second to the file's disk."""

    def act(run):
        file = big_file(run)
        service = run.service("threads", f"file={file}")
        settings = {"blkio.throttle.write_bps_device": f"{groups.disk_of(file)} 1048576"}
        with groups.group("blkio", settings) as folder:
            groups.join(folder, service.pid)
            with run.recording():
                run.load(
                    "127.0.0.1",
                    service.port,
                    "--rate",
                    "40",
                    "-c",
                    "8",
                    "-d",
                    "5",
                    *routes(f"1 GET {path}/64", f"4 GET {path}/0", "2 GET /ok"),
                )

    return act


def slow_files(run):
    folder = run.folder / "mount"
    folder.mkdir()
    run.child(PYTHON, HERE / "inject/slow_files.py", folder, "30")
    service = run.service("threads", f"file={folder}/slow")
    with run.recording():
        run.load("127.0.0.1", service.port, *LOAD, *routes("1 GET /file/4", "7 GET /file/0", "2 GET /ok"))
    for s in run.services:
        s.end()


def slow_pipe(run):
    pipe = run.folder / "log"
    os.mkfifo(pipe)
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys,time\nf=open(sys.argv[1],'rb',0)\nwhile f.read(8192): time.sleep(.03)",
            str(pipe),
        ]
    )
    service = run.service("threads", f"pipe={pipe}")
    try:
        with run.recording():
            run.load(
                "127.0.0.1",
                service.port,
                "--rate",
                "40",
                "-c",
                "4",
                "-d",
                "3",
                *routes("1 GET /pipe/32", "1 GET /pipe/0", "1 GET /ok"),
            )
    finally:
        reader.kill()
        reader.wait()


def locked_file(run):
    """All want the lock on one file, again and again."""
    service = run.service("threads", f"file={run.folder}/lock")
    with run.recording():
        run.load("127.0.0.1", service.port, "-c", "6", "-d", "3", *routes("1 GET /flock/5"))
