"""Many captures in ClickHouse: two servers of its Debian package, with data folders of their own, on loopback. Their tables are replicated by
Debian's ZooKeeper in one class.

    clickhouse_test.py --build build/release
"""
import collections
import math
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
import urllib.parse
import urllib.request

import case

SERVER = shutil.which("clickhouse-server", path="/usr/sbin:/usr/bin:/sbin:/bin")
ZOOKEEPER = pathlib.Path("/usr/share/java/zookeeper.jar")
SCRIPTS = case.ROOT / "scripts/clickhouse"
TABLES = ("request", "route", "label", "verdict", "capture")
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
  <zookeeper><node index="1"><host>127.0.0.1</host><port>{port}</port></node><session_timeout_ms>3000</session_timeout_ms></zookeeper>"""
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
        (folder / "zoo.cfg").write_text(f"tickTime=1000\ndataDir={folder}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
                                        "4lw.commands.whitelist=srvr\n")

    def start(self):
        with open(self.folder / "out", "ab") as out:
            self.process = subprocess.Popen(["java", "-Xmx256m", "-cp", f"{self.folder}:{ZOOKEEPER}", "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                             self.folder / "zoo.cfg"], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
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
        (folder / "config.xml").write_text(CONFIG.format(folder=folder, http=ports[0], tcp=ports[1], between=ports[2], shards=shards, replica=replica, zookeeper=ZOOKEEPER_AT.format(port=zookeeper) if zookeeper else ""))
        (folder / "users.xml").write_text(USERS)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http}"

    def start(self):
        with open(self.folder / "out", "ab") as out:
            self.process = subprocess.Popen([SERVER, f"--config-file={self.folder}/config.xml"], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
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
            with urllib.request.urlopen(f"{self.url}/?wait_end_of_query=1&insert_distributed_sync=1", sql.encode(), timeout=120) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{sql}\n{e.read().decode(errors='replace')[:500]}") from e

    def rows(self, sql):
        return [tuple(line.split("\t")) for line in self.ask(sql).splitlines()]

    def run_file(self, path):
        for statement in re.sub(r"(?m)^--.*\n", "", path.read_text()).split(";"):
            if statement.strip():
                self.ask(statement)


def exported(capture, table):
    done = subprocess.run([case.program(), "export", capture, "--format", "clickhouse", "--table", table], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    lines = done.stdout.splitlines()
    return lines[0].split("\t"), [tuple(line.split("\t")) for line in lines[1:]]


class Definitions(unittest.TestCase):
    def test_files_are_what_the_script_says(self):
        for name, options in (("single", []), ("distributed", ["--cluster", "tailcap"]), ("replicated", ["--cluster", "tailcap", "--replicated"])):
            made = subprocess.run([SCRIPTS / "tables", *options], capture_output=True, text=True, check=True).stdout
            self.assertEqual(made, (SCRIPTS / f"{name}.sql").read_text())

    def test_rows_have_the_columns_of_the_tables(self):
        text = (SCRIPTS / "single.sql").read_text()
        for table in TABLES:
            columns = []
            for name, kind in re.findall(r"^  (\w+) (.+?),?$", re.search(rf"tailcap\.{table} \((.*?)\n\)", text, re.S)[1], re.M):
                nested = re.match(r"Nested\((.*)\)", kind)
                columns += [f"{name}.{part.split()[0]}" for part in nested[1].split(", ")] if nested else [name]
            header, rows = exported(CAPTURES["lock-contention"], table)
            self.assertEqual(header, columns)
            self.assertTrue(all(len(row) == len(columns) for row in rows) and rows)

    def test_usage(self):
        file = CAPTURES["lock-contention"]
        for arguments, word in ((["-w", "status == 200"], "whole"), (["--table", "label", "--endpoint", "http://127.0.0.1:1"], "--table")):
            done = subprocess.run([case.program(), "export", file, "--format", "clickhouse", *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(word, done.stderr)
        for arguments in ([file, "--from-clickhouse", "http://127.0.0.1:1"], ["--from-clickhouse", "http://127.0.0.1:1", "--json"], []):
            self.assertEqual(subprocess.run([case.program(), "report", *arguments], capture_output=True, check=False).returncode, 2)


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
        cls.servers = [Server(pathlib.Path(folder.name) / name, ports[i:i + 3], shards(ports[1], ports[4]), name, ports[6] if zookeeper else None) for name, i in (("a", 0), ("b", 3))]
        for server in cls.servers:
            cls.addClassCleanup(server.end)
            server.start()
        cls.first, cls.second = cls.servers

    def load(self, capture, at=None):
        return subprocess.run([case.program(), "export", capture, "--format", "clickhouse", "--endpoint", (at or self.first).url], capture_output=True, text=True, check=False)

    def report(self, *options):
        return subprocess.run([case.program(), "report", "--from-clickhouse", self.first.url, "--width", "140", *options], capture_output=True, text=True, check=False)

    def assert_exactly(self, captures, at=None):
        """The servers have the rows of these captures, each once."""
        for table in TABLES:
            wanted = collections.Counter(row for capture in captures for row in exported(capture, table)[1])
            header = exported(captures[0], table)[0]
            found = collections.Counter((at or self.first).rows(f"SELECT {', '.join(header)} FROM tailcap.{table} FINAL"))
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
        print(f"killed {len(kills)} times in {len(first_codes)} loads, of which {sum(c not in (0, 3) for c in first_codes)} had to be repeated", file=sys.stderr)
        return captures


@unittest.skipUnless(SERVER and ZOOKEEPER.exists() and shutil.which("java"), "no clickhouse-server and zookeeper: scripts/install-packages clickhouse")
class Replicated(Servers):
    """Both servers have all rows."""

    @classmethod
    def setUpClass(cls):
        replica = "<replica><host>127.0.0.1</host><port>{}</port></replica>"
        cls.start(lambda a, b: f"<shard><internal_replication>true</internal_replication>{replica.format(a)}{replica.format(b)}</shard>", zookeeper=True)

    def setUp(self):
        for server in self.servers:
            server.ask("DROP DATABASE IF EXISTS tailcap")
        for server in self.servers:
            server.run_file(SCRIPTS / "replicated.sql")
        self.in_step()

    def in_step(self):
        """A killed server reads what it lacks."""
        for server in self.servers:
            for table in (*TABLES, "route_state"):
                for patience in range(300):
                    behind = server.ask(f"SELECT is_readonly, queue_size, active_replicas FROM system.replicas WHERE database = 'tailcap' AND table = '{table}_part'").split()
                    if behind == ["0", "0", "2"]:
                        break
                    time.sleep(0.2)
                self.assertEqual(behind, ["0", "0", "2"], table)

    def assert_both_have(self, captures):
        self.in_step()
        for server in self.servers:
            self.assert_exactly(captures, server)
            self.assertEqual(server.ask("SELECT count() FROM tailcap.request FINAL"), server.ask("SELECT count() FROM tailcap.request_part FINAL"))
        self.assertIn(self.report().returncode, (0, 3))

    def test_each_server_has_all_rows_once(self):
        captures = list(CAPTURES.values())
        for n, capture in enumerate(captures):
            self.assertIn(self.load(capture, self.servers[n % 2]).returncode, (0, 3))
        self.assert_both_have(captures)

    def test_the_other_replica_is_killed_while_loading(self):
        self.assert_both_have(self.load_while_killing(self.second))

    def test_the_replica_that_takes_the_rows_is_killed_while_loading(self):
        self.assert_both_have(self.load_while_killing(self.first))


@unittest.skipUnless(SERVER, "no clickhouse-server: scripts/install-packages clickhouse")
class Fleet(Servers):
    @classmethod
    def setUpClass(cls):
        cls.start(lambda *ports: "".join(f"<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>" for port in ports))

    def setUp(self):
        for server in self.servers:
            server.ask("DROP DATABASE IF EXISTS tailcap")
            server.run_file(SCRIPTS / "distributed.sql")

    def test_loaded_is_exported_and_nothing_twice(self):
        captures = list(CAPTURES.values())
        for _ in range(2):
            for n, capture in enumerate(captures):
                done = self.load(capture, self.servers[n % 2])
                self.assertIn(done.returncode, (0, 3), done.stderr)
            self.assert_exactly(captures)
        # Both have a part of the rows.
        for server in self.servers:
            self.assertGreater(int(server.ask("SELECT count() FROM tailcap.request_part")), 100)

    def test_a_server_is_killed_while_loading(self):
        self.assert_exactly(self.load_while_killing(self.second))

    def test_the_server_that_takes_the_rows_is_killed_while_loading(self):
        self.assert_exactly(self.load_while_killing(self.first))

    def test_a_load_waits_for_a_server(self):
        self.second.end(signal.SIGKILL)
        timer = threading.Timer(3, self.second.start)
        timer.start()
        done = self.load(CAPTURES["lock-contention"])
        timer.join()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_exactly([CAPTURES["lock-contention"]])

    def test_a_capture_that_is_being_loaded_is_left_out(self):
        self.load(CAPTURES["lock-contention"])
        whole = self.report()
        for name in ("request", "route", "label", "verdict"):
            header, rows = exported(CAPTURES["go-stock"], name)
            body = "\n".join("\t".join(row) for row in [header, *rows]) + "\n"
            query = urllib.parse.quote(f"INSERT INTO tailcap.{name} FORMAT TabSeparatedWithNames")
            urllib.request.urlopen(f"{self.first.url}/?insert_distributed_sync=1&query={query}", body.encode()).read()
        self.assertEqual(self.report().stdout, whole.stdout)

    def test_missing_rows_are_said(self):
        self.load(CAPTURES["lock-contention"])
        for server in self.servers:
            server.ask("TRUNCATE TABLE tailcap.route_state_part")
        done = self.report()
        self.assertEqual(done.returncode, 3)
        self.assertIn("Rows of lock-contention.tcap are missing", done.stdout)

    @staticmethod
    def section(text, title):
        """The table below a heading, without the notes behind it."""
        found = re.search(rf"(?ms)^── {title} ─+\n(.*?)(?=^── |\Z)", text)
        return None if found is None else re.sub(r"(?ms)^  Below each percentile.*", "", found[1]).strip()

    def test_a_report_of_one_capture_says_what_its_own_says(self):
        for name in ("lock-contention", "go-stock", "busy-machine", "lost-events", "cut-short"):
            with self.subTest(name):
                self.setUp()
                self.assertIn(self.load(CAPTURES[name]).returncode, (0, 3))
                local = subprocess.run([case.program(), "report", CAPTURES[name], "--width", "140", "--no-pager"], capture_output=True, text=True, check=False)
                fleet = self.report()
                self.assertEqual(fleet.returncode, local.returncode, fleet.stderr)
                self.assertTrue(self.section(local.stdout, "Incoming requests"))
                # How far it can be trusted: the same words, behind the title.
                trusted = " ".join(re.split(r"\n   captures  ", fleet.stdout.split("\n", 1)[1])[0].split())
                self.assertTrue(trusted and " ".join(local.stdout.split("\n", 1)[1].split()).startswith(trusted), (trusted, local.stdout[:300]))
                for title in ("Incoming requests", "Outgoing requests"):
                    self.assertEqual(self.section(fleet.stdout, title), self.section(local.stdout, title))
                answers = self.section(local.stdout, "What was slow, and why") or ""
                numbered = re.findall(r"(?ms)^ *\d+\. (.*?)\n {5}\$", answers)
                self.assertTrue(numbered or name not in ("lock-contention", "go-stock"))
                for answer in numbered:
                    self.assertIn(" ".join(answer.split()), " ".join(fleet.stdout.split()))

    def test_a_report_of_several_captures(self):
        captures = [CAPTURES[name] for name in ("lock-contention", "go-stock", "busy-machine")]
        # The same service twice: a copy of a capture with another id.
        text = subprocess.run([case.program(), "export", captures[0], "--format", "clickhouse", "--table", "request"], capture_output=True, text=True, check=True).stdout
        identity = text.splitlines()[1].split("\t")[0]
        for capture in captures:
            self.assertIn(self.load(capture).returncode, (0, 3))
        # The copy's requests take 1.5 times as long.
        for table in TABLES:
            columns = [c for c, in self.first.rows(f"SELECT name FROM system.columns WHERE database = 'tailcap' AND table = '{table}'")]
            values = [{"capture_id": "'copy'", "file": "'copy.tcap'"}.get(c, c) for c in columns]
            if table == "request":
                values = ["intDiv(duration_ns * 3, 2)" if c == "duration_ns" else v for c, v in zip(columns, values)]
            self.first.ask(f"INSERT INTO tailcap.{table} SELECT {', '.join(values)} FROM tailcap.{table} FINAL WHERE capture_id = '{identity}'")
        self.first.ask("INSERT INTO tailcap.route_state SELECT capture_id, day, service, role, method, route, "
                       "quantilesExactState(0.5, 0.9, 0.95, 0.99, 0.999)(assumeNotNull(duration_ns)), count() FROM tailcap.request FINAL "
                       "WHERE capture_id = 'copy' AND standing = 'clean' GROUP BY capture_id, day, service, role, method, route")
        done = self.report("--format", "md", "-n", "50")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("4 captures of", done.stdout)
        # Percentiles of /slow, of both captures, are order statistics of all their durations.
        header, rows = exported(captures[0], "request")
        at = {name: i for i, name in enumerate(header)}
        own = [int(r[at["duration_ns"]]) for r in rows if r[at["route"]] == "/slow" and r[at["standing"]] == "clean"]
        both = sorted(own + [d * 3 // 2 for d in own])
        line = next(l for l in done.stdout.splitlines() if l.startswith("| GET /slow"))
        self.assertIn(f"{len(both):,}", line)
        p50 = both[math.ceil(0.5 * len(both)) - 1]
        self.assertIn(f"{p50 / 1e6:.2f} ms", line)
        # Where the time went: the sum of both.
        lock = sum(int(ns) for r in rows if r[at["route"]] == "/slow" for label, ns in zip(re.findall(r"'([^']*)'", r[at["label.name"]]), re.findall(r"\d+", r[at["label.ns"]]))
                   if label == "lock.futex")
        self.assertIn(f"| waiting for a lock | {2 * lock / 1e6:.0f} ms |", done.stdout)
        # The answer is that of one capture, and says that two have it.
        self.assertRegex(done.stdout, r"GET /slow: 32 of 656 take .* In 2 of 4 captures, this is .*; in all of them 64 of 1,312")


if __name__ == "__main__":
    case.main()
