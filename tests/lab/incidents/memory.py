"""Memory that the limit of a cgroup makes scarce."""
import contextlib
import os
import pathlib

from incidents.stage import free_port, http_service

ROOT = pathlib.Path("/sys/fs/cgroup/memory")
# Touches pages of a file of 64 MB that other requests have touched.
READS = http_service(
    """
global data
if "data" not in globals():
    data = mmap.mmap(os.open(sys.argv[2], os.O_RDONLY), 0, prot=mmap.PROT_READ)
    data.madvise(mmap.MADV_RANDOM)
if int(path.rpartition("/")[2]) % 8 == 7:
    return bytes(data[random.randrange(len(data) // 4096) * 4096] for _ in range(1500))
"""
)
FILLS = """
import sys, time
while True:
    time.sleep(0.8)
    with open(sys.argv[1], "rb") as f:
        while f.read(1 << 20):
            pass
"""


@contextlib.contextmanager
def group(stage, limit):
    folder = ROOT / f"tailcap-incident-{os.getpid()}"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text(str(limit))
    try:
        yield lambda: (folder / "cgroup.procs").write_text("0")
    finally:
        stage.stack.close()
        with contextlib.suppress(OSError):
            folder.rmdir()


def file(stage, name, megabytes):
    path = stage.folder / name
    with open(path, "wb") as f:
        f.write(os.urandom(1 << 20) * megabytes)
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # who reads it pays for its pages
    return path


def limit(stage):
    data, port = file(stage, "catalogue", 64), free_port()
    os.sync()
    with group(stage, 40 << 20) as enter:
        service = stage.python("shop.py", READS, port, data, port=port, preexec_fn=enter)
        with stage.recording(service.pid):
            stage.load(port, ((30, "/item/#"),), 8)
    return {
        "hit": stage.slow("/item", 0.01),
        "what": "the cgroup's limit of 40 MiB is less than the file that is read",
    }


def neighbour(stage):
    data, port = file(stage, "catalogue", 16), free_port()
    backup = file(stage, "dump", 200)
    os.sync()
    with group(stage, 60 << 20) as enter:
        service = stage.python("shop.py", READS, port, data, port=port, preexec_fn=enter)
        with stage.recording(service.pid):
            stage.python("backup_job.py", FILLS, backup, preexec_fn=enter)
            stage.load(port, ((40, "/item/#"),), 8)
    return {"hit": stage.slow("/item", 0.01), "what": "backup_job.py fills the memory of the cgroup that both are in"}
