"""Two machines, each recorded by itself: network namespaces joined by a veth pair, and the second capture's clock skewed."""
import json
import os
import subprocess

import harness
from harness import Case, ip, wait_until

AHEAD, PPM = 137_000_000, 20
SECONDS, RATE = 3, 200


class Merge(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.near, self.far = (
            f"tcap{os.getpid() % 100000}{end}" for end in "ab"
        )  # of 15 characters at most: veth's names, too
        for name in (self.near, self.far):
            ip("netns", "add", name)
            self.addCleanup(subprocess.run, ["ip", "netns", "del", name], capture_output=True)
        ip("link", "add", self.near, "netns", self.near, "type", "veth", "peer", "name", self.far, "netns", self.far)
        for name, address in ((self.near, "10.213.7.1/24"), (self.far, "10.213.7.2/24")):
            ip("-n", name, "address", "add", address, "dev", name)
            ip("-n", name, "link", "set", name, "up")
            ip("-n", name, "link", "set", "lo", "up")

    def within(self, name, *command):
        return ["ip", "netns", "exec", name, *map(str, command)]

    def record_both(self):
        """The client's machine in near.tcap, the server's in far.tcap."""
        server = self.start(
            self.within(
                self.far,
                harness.BUILD / "samples/tailcap-sample-service",
                "--address",
                "10.213.7.2",
                "--port",
                8080,
                "--log",
                self.scratch / "service.jsonl",
            ),
            stdout=subprocess.DEVNULL,
        )
        reach = self.within(
            self.near, self.named("curl"), "-s", "-o", "/dev/null", "--max-time", "1", "http://10.213.7.2:8080/health"
        )
        wait_until(lambda: subprocess.run(reach).returncode == 0, "the sample service")
        with self.record("-p", server.pid, name="far.tcap") as far:
            near = harness.Recording(
                self.scratch / "near.tcap",
                [
                    "--",
                    *self.within(
                        self.near,
                        *self.load_command(
                            "http://10.213.7.2:8080",
                            "--rate",
                            RATE,
                            "--duration",
                            SECONDS,
                            "-c",
                            6,
                            "--per-connection",
                            50,
                            "--id",
                            "near-",
                            "--route",
                            "1 GET /users/{n}",
                            "--route",
                            "1 POST /orders 3000",
                        ),
                    ),
                ],
            )
            self.addCleanup(self.abandon, near)
            self.assertEqual(near.wait_end(60), 0, near.said)
        return near, far

    def skew(self, recording, ahead, ppm):
        out = self.scratch / "skewed.tcap"
        subprocess.run(
            [harness.BUILD / "tests/synth/synth-capture", "--skew", str(ahead), str(ppm), recording.file, out],
            check=True,
        )
        return out

    def merge(self, *files, code=0):
        out = self.scratch / "merged.tcap"
        said = self.tailcap("merge", *files, "-o", out, "--force", "--json", code=code)
        return out, json.loads(said)

    def check_split(self, merged, served, error):
        rows = harness.json_lines(self.tailcap("requests", merged, "--json"))
        by_id = {row["id"]: row for row in rows}
        clients = [
            r for r in rows if r["role"] == "client" and r["x_request_id"] and r["x_request_id"].startswith("near-")
        ]
        self.assertEqual(len(clients), served)
        for client in clients:
            self.assertIsNotNone(client["peer"], client)
            server = by_id[client["peer"]]
            self.assertEqual(server["peer"], client["id"])
            self.assertEqual((server["role"], server["x_request_id"]), ("server", client["x_request_id"]))
            split = client["split"]
            self.assertEqual(split["out_ns"] + split["server_ns"] + split["back_ns"], client["duration_ns"], client)
            self.assertTrue(min(split["out_ns"], split["server_ns"], split["back_ns"]) >= 0, split)
            self.assertEqual(split["error_ns"], error)
            # Less where the server was not running when its last send was to return: the client had read it by then.
            self.assertLessEqual(split["server_ns"], server["duration_ns"])
        return clients

    def test_a_skewed_clock(self):
        near, far = self.record_both()
        skewed = self.skew(far, AHEAD, PPM)
        merged, said = self.merge(near.file, skewed)
        source = said["sources"][1]
        # Ahead at its first event, and faster since then: in the middle of its recording more than that.
        first = json.loads(self.tailcap("info", skewed, "--json"))["first_ns"]
        truth = AHEAD + (source["clock_at_ns"] - first) * PPM * 1e-6
        self.assertLess(abs(source["clock_ahead_ns"] - truth), 1e6)
        self.assertTrue(source["clock_ahead_from_ns"] <= truth <= source["clock_ahead_to_ns"], (truth, source))
        self.assertLess(source["error_ns"], 1e6)
        self.assertTrue(source["drift_from_ppm"] <= PPM <= source["drift_to_ppm"], source)
        self.assertLess(abs(source["drift_ppm"] - PPM), 100)
        self.assertTrue(source["drift_bounded"])
        self.assertEqual(source["contradiction_ns"], 0)
        self.assertLess(abs(source["wall_clock_ahead_ns"]), 2e6)  # it was the wall clock of one machine
        served = len(harness.json_lines((self.scratch / "load.jsonl").read_text()))
        self.assertEqual(source["connections"], source["connections_joined"])
        clients = self.check_split(merged, served, source["error_ns"])
        topology = json.loads(self.tailcap("topology", merged, "--json"))
        calls = {
            (topology["nodes"][c["from"]]["name"], topology["nodes"][c["to"]]["name"]): c["requests"]
            for c in topology["calls"]
        }
        self.assertEqual(calls.get(("tailcap-load", "tailcap-sample-")), served, calls)
        tree = json.loads(self.tailcap("tree", merged, clients[0]["id"], "--json"))["tree"]
        self.assertEqual([(c["role"], c["machine"]) for c in tree["children"]], [("server", 2)])
        self.assertIn("other end", self.tailcap("show", merged, clients[0]["id"]))
        self.tailcap("report", merged, "--full")
        self.assert_blocks_sound(merged)

    def test_captures_of_one_boot(self):
        near, far = self.record_both()
        merged, said = self.merge(near.file, far.file)
        self.assertEqual([s["placed"] for s in said["sources"]], ["reference", "same_boot"])
        self.assertEqual([s["machine"] for s in said["sources"]], [1, 1])
        served = len(harness.json_lines((self.scratch / "load.jsonl").read_text()))
        self.check_split(merged, served, 0)

    def test_one_direction_is_not_enough(self):
        near, far = self.record_both()
        other = self.skew(near, AHEAD, PPM)  # the same end twice: none of its messages has another end
        _, said = self.merge(near.file, other, code=4)
        self.assertFalse(said["written"])
        self.assertEqual(said["sources"][1]["placed"], "undetermined")


if __name__ == "__main__":
    harness.main()
