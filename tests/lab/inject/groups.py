"""Control groups for a process, v1 and v2: CPU quota and shares, disk bandwidth, memory, freezing."""
import contextlib
import os
import pathlib
import time


class NotHere(Exception):
    """This machine has no such thing."""


def mounted(controller):
    """Where a controller of cgroup v1, or the unified hierarchy, is mounted, or None."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup" and controller in options.split(","):
            return pathlib.Path(place)
        if kind == "cgroup2" and controller == "unified":
            return pathlib.Path(place)
    return None


def own(controller):
    """The group of this process, so that what was granted to it holds for its groups, too."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") or (controller == "unified" and not controllers):
            return path.lstrip("/")
    return ""


@contextlib.contextmanager
def group(controller, settings):
    """A new group within this process's, with these files written; gone afterwards, its members back where it was."""
    place = mounted(controller)
    if place is None:
        raise NotHere(f"no {controller} controller is mounted")
    place /= own(controller)
    folder = place / f"tailcap-lab-{time.monotonic_ns()}"
    folder.mkdir()
    try:
        for name, value in settings.items():
            (folder / name).write_text(str(value))
        yield folder
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (place / "cgroup.procs").write_text(pid)
        for _ in range(50):
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.05)


def join(folder, pid):
    (folder / "cgroup.procs").write_text(str(pid))


def disk_of(path):
    """MAJOR:MINOR of the whole disk under a path."""
    device = os.stat(path).st_dev
    part = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    if (part / "partition").exists():
        part = part.resolve().parent
    return (part / "dev").read_text().strip()
