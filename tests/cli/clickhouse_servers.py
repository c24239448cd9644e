"""Servers of Debian's ClickHouse package, with data folders of their own, on loopback."""
import collections
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import case

SERVER = shutil.which("clickhouse-server", path="/usr/sbin:/usr/bin:/sbin:/bin")
ZOOKEEPER = pathlib.Path("/usr/share/java/zookeeper.jar")
SCRIPTS = case.ROOT / "scripts/clickhouse"
TABLES = ("request", "route", "label", "verdict", "service_hour", "route_hour", "call_hour", "deployment", "capture")
CAPTURES = {path.stem: path for path in sorted(case.SAMPLES.glob("*/*.tcap"))}

CONFIG = """<yandex>
  <logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
  <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><interserver_http_port>{between}</interserver_http_port><listen_host>127.0.0.1</listen_host>
  <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path><users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database><mark_cache_size>268435456</mark_cache_size>
  <macros><shard>1</shard><replica>{replica}</replica></macros>
  <remote_servers><tailcap>{shards}</tailcap></remote_servers>{zookeeper}
</yandex>
"""
ZOOKEEPER_AT = """
  <interserver_http_host>127.0.0.1</interserver_http_host>
  <zookeeper><node index="1"><host>127.0.0.1</host><port>{port}</port></node><session_timeout_ms>6000</session_timeout_ms></zookeeper>"""
USERS = """<yandex><profiles><default><max_memory_usage>2000000000</max_memory_usage></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas></yandex>
"""


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class ZooKeeper:
    """One server, as its Debian package starts it."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        (folder / "data").mkdir(parents=True)
        (folder / "zoo.cfg").write_text(
            f"tickTime=1000\ndataDir={folder}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
            "4lw.commands.whitelist=srvr\n"
        )

    def start(self):
        with open(self.folder / "out", "ab") as out:
            self.process = subprocess.Popen(
                [
                    "java",
                    "-Xmx256m",
                    "-cp",
                    f"{self.folder}:{ZOOKEEPER}",
                    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                    self.folder / "zoo.cfg",
                ],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        for _ in range(600):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as asked:
                    asked.sendall(b"srvr")
                    if b"Mode: " in asked.makefile("rb").read():  # it serves requests
                        return
            except OSError:
                assert self.process.poll() is None, (self.folder / "out").read_text()
            time.sleep(0.1)
        raise AssertionError("ZooKeeper does not answer")

    def end(self):
        self.process.kill()
        self.process.wait()


class Server:
    def __init__(self, folder, ports, shards, replica=1, zookeeper=None):
        self.folder, self.http, self.tcp = folder, ports[0], ports[1]
        for name in ("data", "tmp"):
            (folder / name).mkdir(parents=True)
        (folder / "config.xml").write_text(
            CONFIG.format(
                folder=folder,
                http=ports[0],
                tcp=ports[1],
                between=ports[2],
                shards=shards,
                replica=replica,
                zookeeper=ZOOKEEPER_AT.format(port=zookeeper) if zookeeper else "",
            )
        )
        (folder / "users.xml").write_text(USERS)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http}"

    def start(self):
        with open(self.folder / "out", "ab") as out:
            self.process = subprocess.Popen(
                [SERVER, f"--config-file={self.folder}/config.xml"], stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        for _ in range(600):
            try:
                self.ask("SELECT 1")
                return
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None, (self.folder / "out").read_text()
                time.sleep(0.1)
        raise AssertionError("a server does not answer")

    def end(self, number=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def ask(self, sql):
        try:
            with urllib.request.urlopen(
                f"{self.url}/?wait_end_of_query=1&insert_distributed_sync=1", sql.encode(), timeout=120
            ) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{sql}\n{e.read().decode(errors='replace')[:500]}") from e

    def rows(self, sql):
        return [tuple(line.split("\t")) for line in self.ask(sql).splitlines()]

    def run_file(self, path):
        for statement in re.sub(r"(?m)^--.*\n", "", path.read_text()).split(";"):
            if statement.strip():
                self.ask(statement)


def exported(capture, table, *options):
    done = subprocess.run(
        [case.program(), "export", capture, "--format", "clickhouse", "--table", table, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    lines = done.stdout.splitlines()
    return lines[0].split("\t"), [tuple(line.split("\t")) for line in lines[1:]]


class Servers(unittest.TestCase):
    """Two of them."""

    @classmethod
    def start(cls, shards, zookeeper=False):
        """shards: of the two ports of the servers."""
        folder = tempfile.TemporaryDirectory(prefix="tailcap-clickhouse-")
        cls.addClassCleanup(folder.cleanup)
        ports = free_ports(7)
        if zookeeper:
            keeper = ZooKeeper(pathlib.Path(folder.name) / "z", ports[6])
            keeper.start()
            cls.addClassCleanup(keeper.end)
        cls.servers = [
            Server(
                pathlib.Path(folder.name) / name,
                ports[i : i + 3],
                shards(ports[1], ports[4]),
                name,
                ports[6] if zookeeper else None,
            )
            for name, i in (("a", 0), ("b", 3))
        ]
        for server in cls.servers:
            cls.addClassCleanup(server.end)
            server.start()
        cls.first, cls.second = cls.servers

    def load(self, capture, at=None):
        return subprocess.run(
            [case.program(), "export", capture, "--format", "clickhouse", "--endpoint", (at or self.first).url],
            capture_output=True,
            text=True,
            check=False,
        )

    def report(self, *options):
        return subprocess.run(
            [case.program(), "report", "--from-clickhouse", self.first.url, "--width", "140", *options],
            capture_output=True,
            text=True,
            check=False,
        )

    def assert_exactly(self, captures, at=None):
        """The servers have the rows of these captures, each once."""
        for table in TABLES:
            wanted = collections.Counter(row for capture in captures for row in exported(capture, table)[1])
            header = exported(captures[0], table)[0]
            found = collections.Counter(
                (at or self.first).rows(f"SELECT {', '.join(header)} FROM tailcap.{table} FINAL")
            )
            self.assertEqual(wanted - found, collections.Counter(), f"{table}: lost")
            self.assertEqual(found - wanted, collections.Counter(), f"{table}: twice, or never exported")

    def load_while_killing(self, victim):
        captures = list(CAPTURES.values())
        stop = threading.Event()
        kills = []

        def kill():
            while not stop.wait(2.5 if kills else 0.2):  # at once the first time: loading may be quick
                victim.end(signal.SIGKILL)
                kills.append(time.monotonic())
                if stop.wait(0.7):
                    break
                victim.start()

        killer = threading.Thread(target=kill)
        killer.start()
        first_codes = []
        try:
            for capture in captures:
                done = self.load(capture)
                first_codes.append(done.returncode)
                for _ in range(10):
                    if done.returncode in (0, 3):
                        break
                    done = self.load(capture)  # what failed is repeated
                self.assertIn(done.returncode, (0, 3), done.stderr)
        finally:
            stop.set()
            killer.join()
            if victim.process is None:
                victim.start()
        self.assertGreater(len(kills), 0)
        print(
            f"killed {len(kills)} times in {len(first_codes)} loads, of which {sum(c not in (0, 3) for c in first_codes)} had to be repeated",
            file=sys.stderr,
        )
        return captures
