"""Jobs that take the only CPU that the service may use."""
import os
import subprocess

from incidents.stage import free_port, http_service

SERVICE = http_service(
    """
end = time.thread_time() + 0.004
while time.thread_time() < end:
    pass
"""
)
CRON = "import subprocess, sys, time\nwhile True:\n    time.sleep(1.2)\n    subprocess.run(sys.argv[1:], timeout=20, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"


def job(stage, *command):
    port = free_port()
    service = stage.python("shop.py", SERVICE, port, port=port, pin=0)
    stage.python("cron.py", CRON, *command, pin=0)
    with stage.recording(service.pid):
        stage.load(port, ((40, "/item/#"),), 8)
    return {"hit": stage.slow("/item", 0.012), "what": f"{command[3]} has the CPU"}


def xz(stage):
    data = stage.folder / "log"
    data.write_bytes(os.urandom(700_000))
    return job(stage, "nice", "-n", "-5", "xz", "-9", "-k", "-f", "-T1", data)


def openssl(stage):
    return job(stage, "nice", "-n", "-5", "openssl", "speed", "-seconds", "1", "-bytes", "1024", "sha512")
