"""A process that a debugger, a signal or the freezer stops."""
import os
import pathlib
import subprocess

from incidents.stage import free_port, http_service

SERVICE = http_service("time.sleep(0.002)")


def stopped(stage, every, *command):
    port = free_port()
    service = stage.python("shop.py", SERVICE, port, port=port)

    def stop():
        subprocess.run(
            [str(c).replace("PID", str(service.pid)) for c in command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
        )

    with stage.recording(service.pid), stage.again(every, stop):
        stage.load(port, ((40, "/item/#"),), 8)
    return {"hit": stage.slow("/item", 0.1), "what": f"{command[0]} stops the service"}


def gdb(stage):
    return stopped(
        stage, 1.5, "gdb", "-q", "-batch", "-p", "PID", "-ex", "thread apply all bt", "-ex", "shell sleep 0.3"
    )


def gcore(stage):
    dump = stage.folder / "core"
    return stopped(stage, 1.5, "gcore", "-o", dump, "PID")


SNAPSHOT = "#!/bin/sh\nkill -STOP $1\nsleep 0.25\nkill -CONT $1\n"


def signal(stage):
    return stopped(stage, 1.2, stage.script("snapshot.sh", SNAPSHOT), "PID")


FREEZE = "#!/bin/sh\necho 1 > $1/cgroup.freeze\nsleep 0.25\necho 0 > $1/cgroup.freeze\n"
# The one that freezes has ended when the other thaws, as with `docker pause`.
PAUSE = (
    "#!/bin/sh\npython3 -c 'open(\"'$1'/cgroup.freeze\", \"w\").write(\"1\")'\nsleep 0.25\necho 0 > $1/cgroup.freeze\n"
)


def unified():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    raise OSError("no cgroup2 is mounted")


def frozen(stage, name, text):
    group = unified() / f"tailcap-incident-{os.getpid()}"
    group.mkdir()
    try:
        port = free_port()
        service = stage.python("shop.py", SERVICE, port, port=port)
        (group / "cgroup.procs").write_text(str(service.pid))
        script = stage.script(name, text)
        with stage.recording(service.pid), stage.again(1.2, lambda: subprocess.run([script, group], check=True)):
            stage.load(port, ((40, "/item/#"),), 8)
        return {"hit": stage.slow("/item", 0.1), "what": f"{name} freezes the cgroup {group.name}"}
    finally:
        (group / "cgroup.freeze").write_text("0")
        stage.stack.close()
        group.rmdir()


def freezer(stage):
    return frozen(stage, "snapshot.sh", FREEZE)


def pause(stage):
    return frozen(stage, "pause.sh", PAUSE)
