"""Many captures in ClickHouse: two servers that have all rows each, by Debian's ZooKeeper.

    clickhouse_replicas_test.py --build build/release
"""
import shutil
import time
import unittest

import case
from clickhouse_servers import CAPTURES, SCRIPTS, SERVER, TABLES, ZOOKEEPER, Servers


@unittest.skipUnless(
    SERVER and ZOOKEEPER.exists() and shutil.which("java"),
    "no clickhouse-server and zookeeper: scripts/install-packages clickhouse",
)
class Replicated(Servers):
    """Both servers have all rows."""

    @classmethod
    def setUpClass(cls):
        replica = "<replica><host>127.0.0.1</host><port>{}</port></replica>"
        cls.start(
            lambda a, b: f"<shard><internal_replication>true</internal_replication>{replica.format(a)}{replica.format(b)}</shard>",
            zookeeper=True,
        )

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
                for patience in range(900):
                    behind = server.ask(
                        f"SELECT is_readonly, queue_size, active_replicas FROM system.replicas WHERE database = 'tailcap' AND table = '{table}_part'"
                    ).split()
                    if behind == ["0", "0", "2"]:
                        break
                    time.sleep(0.2)
                self.assertEqual(behind, ["0", "0", "2"], table)

    def assert_both_have(self, captures):
        self.in_step()
        for server in self.servers:
            self.assert_exactly(captures, server)
            self.assertEqual(
                server.ask("SELECT count() FROM tailcap.request FINAL"),
                server.ask("SELECT count() FROM tailcap.request_part FINAL"),
            )
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


if __name__ == "__main__":
    case.main()
