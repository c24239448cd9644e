"""A process that a debugger or a tracer stops."""
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
