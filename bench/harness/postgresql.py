"""PostgreSQL with the tables of pgbench, in a folder of its own."""
import os
import pathlib
import shutil
import subprocess

from .nginx import free_port, wait_for

PROGRAMS = pathlib.Path("/usr/lib/postgresql")


class PostgreSql:
    def __init__(self, folder, cpu, _build):
        self.folder, self.cpu, self.port = folder, cpu, free_port()
        self.programs = max(PROGRAMS.iterdir()) / "bin"

    def __enter__(self):
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        for place in (data, *data.resolve().parents):
            if place.stat().st_uid == 0 and str(place) != "/":
                os.chmod(place, place.stat().st_mode | 0o055)
        shutil.chown(data, "postgres")
        quiet = {"user": "postgres", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": data}
        subprocess.run([self.programs / "initdb", "-D", data, "-A", "trust"], check=True, **quiet)
        settings = ["-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", data, "-c", "fsync=off"]
        command = ["taskset", "-c", str(self.cpu), self.programs / "postgres", *settings]
        self.process = subprocess.Popen([str(c) for c in command], **quiet)
        wait_for(self.port)
        self.worker = self.process.pid
        subprocess.run([*self.pgbench(), "-i", "-s", "1", "postgres"], check=True, **quiet)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def pgbench(self):
        return ["pgbench", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]

    def load(self, clients, statements):
        """A command that executes a prepared statement this number of times, on this number of connections."""
        how = ["-n", "-S", "-M", "prepared", "-c", str(clients), "-t", str(statements // clients)]
        return [*self.pgbench(), *how, "postgres"]
