"""Interfaces and links: what `ip` says of them, which one loses packets, which one has another MTU than its other end."""
import contextlib
import json
import pathlib
import subprocess
import sys
import time

import harness
from harness import Case, ip, json_lines, namespace_of, wait_until

# Answers each connection's requests "N\n" with N bytes over HTTP/1.1, by as many threads as come.
SERVER = r"""
import http.server, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"x" * int(self.path.rsplit("/", 1)[1])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
Server(("0.0.0.0", 8080), Handler).serve_forever()
"""

CLIENT = r"""
import http.client, sys
address, count, size = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.stdin.readline()  # until it is to begin
one = http.client.HTTPConnection(address, 8080, timeout=60)
for n in range(count):
    one.request("GET", f"/{n}/{size}")
    assert len(one.getresponse().read()) == int(size)
"""

# Drops one packet of 20 that carry more than headers, and counts both: the truth of what the link lost.
DROPS = r"""
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
SEC("tc") int lose(struct __sk_buff *skb)
{
	__u32 seen = 0, lost = 1;
	__u64 *n;
	if (skb->len < 200)
		return TC_ACT_OK;
	n = bpf_map_lookup_elem(&counts, &seen);
	if (n)
		__sync_fetch_and_add(n, 1);
	if (bpf_get_prandom_u32() % 20)
		return TC_ACT_OK;
	n = bpf_map_lookup_elem(&counts, &lost);
	if (n)
		__sync_fetch_and_add(n, 1);
	return TC_ACT_SHOT;
}
char _license[] SEC("license") = "Dual BSD/GPL";
"""


class Links(Case):
    BY_OTHER_NAMES = True

    def pair(self, one, one_name, other, other_name, network=None):
        ip("link", "add", one_name, "netns", one, "type", "veth", "peer", "name", other_name, "netns", other)
        for number, (space, name) in enumerate(((one, one_name), (other, other_name)), 1):
            if network:
                ip("-n", space, "addr", "add", f"{network}.{number}/24", "dev", name)
            ip("-n", space, "link", "set", name, "up")

    def within(self, space, program, *arguments, **options):
        return self.start(
            ["ip", "netns", "exec", space, sys.executable, "-c", program, *map(str, arguments)], **options
        )

    def server(self, space):
        process = self.within(space, SERVER)
        listening = pathlib.Path(f"/proc/{process.pid}/net/tcp")
        wait_until(lambda: ":1F90 0000" in listening.read_text(), "the server")
        return process

    def get(self, space, address, count, size):
        client = self.within(space, CLIENT, address, count, size)
        self.assertEqual(client.wait(timeout=120), 0)

    def interfaces(self, recording):
        told = json.loads(self.tailcap("info", recording.file, "--interfaces", "--json"))
        self.assertTrue(told["recorded"])
        return told

    def assert_as_ip_says(self, told, space, inode):
        truth = {}
        listed = json.loads(ip("-n", space, "-j", "-d", "link"))
        names = {link["ifindex"]: link["ifname"] for link in listed}
        for link in listed:
            truth[link["ifname"]] = {
                "index": link["ifindex"],
                "mtu": link["mtu"],
                "up": "UP" in link["flags"],
                "master": link.get("master"),
                "type": link.get("linkinfo", {}).get("info_kind"),
                "peer_index": link.get("link_index") or {n: i for i, n in names.items()}.get(link.get("link")),
            }
        seen = {
            one["name"]: {key: one[key] for key in ("index", "mtu", "up", "master", "type", "peer_index")}
            for one in told["interfaces"]
            if one["net_namespace"] == inode and not one["gone"]
        }
        self.assertEqual(seen, truth)

    def test_the_same_interfaces_as_ip_lists(self):
        near, far = self.network_namespace("n"), self.network_namespace("f")
        self.pair(near, "left", far, "right")
        ip("-n", near, "link", "add", "bridge0", "type", "bridge")
        ip("-n", near, "link", "set", "bridge0", "mtu", 1450)
        for name in ("port0", "port1"):
            ip("-n", near, "link", "add", name, "type", "veth", "peer", "name", f"{name}p")
            ip("-n", near, "link", "set", name, "master", "bridge0")
        with contextlib.suppress(subprocess.CalledProcessError):  # of kernels that have it
            ip("-n", near, "link", "add", "bond0", "type", "bond")
            ip("-n", near, "link", "set", "port1p", "master", "bond0")
        server, other = self.server(near), self.server(far)
        with self.record("-p", server.pid, "-p", other.pid) as recording:
            pass
        told = self.interfaces(recording)
        self.assertIsNone(told["not_read"])
        for space, process in ((near, server), (far, other)):
            self.assert_as_ip_says(told, space, namespace_of(process.pid))
        by_name = {one["name"]: one for one in told["interfaces"] if one["net_namespace"] == namespace_of(server.pid)}
        self.assertEqual(by_name["left"]["peer"], "right")
        self.assertEqual(by_name["left"]["peer_namespace"], namespace_of(other.pid))
        self.assertEqual([one["changes"] for one in told["interfaces"] if one["changes"]], [])
        own = [one for one in told["interfaces"] if one["of_recorder"]]
        self.assertEqual(
            {one["name"]: one["mtu"] for one in own},
            {link["ifname"]: link["mtu"] for link in json.loads(ip("-j", "link"))},
        )
        self.assertEqual({one["net_namespace"] for one in own}, {namespace_of("self")})
        addresses = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "net_interface"))
        self.assertEqual(
            {(a["index"], a["name"], a["address"].strip("[]"), a["prefix"]) for a in addresses},
            {
                (link["ifindex"], link["ifname"], a["local"], a["prefixlen"])
                for link in json.loads(ip("-j", "address"))
                for a in link["addr_info"]
            },
        )

    def test_changes_while_recording(self):
        near, far = self.network_namespace("n"), self.network_namespace("f")
        self.pair(near, "left", far, "right")
        server = self.server(near)
        with self.record("-p", server.pid) as recording:
            before = time.time_ns()
            ip("-n", near, "link", "set", "left", "mtu", 1400)
            time.sleep(0.4)
            after = time.time_ns()
            ip("-n", near, "link", "add", "late", "type", "veth", "peer", "name", "late2")
            time.sleep(0.4)
            ip("-n", near, "link", "del", "late")
            time.sleep(0.4)
        told = self.interfaces(recording)
        self.assert_as_ip_says(told, near, namespace_of(server.pid))
        by_name = {one["name"]: one for one in told["interfaces"] if one["net_namespace"] == namespace_of(server.pid)}
        changes = by_name["left"]["changes"]
        self.assertEqual([(c["what"], c["from"], c["to"]) for c in changes], [("mtu", "1500", "1400")])
        self.assertTrue(before <= changes[0]["at_ns"] <= after + 10**9, (before, changes, after))
        self.assertTrue(by_name["late"]["gone"])
        self.assertTrue(by_name["late2"]["gone"])
        # The other end is in a namespace of which nothing is recorded.
        self.assertEqual(by_name["left"]["peer"], None)
        self.assertEqual(by_name["left"]["peer_namespace"], None)

    def diag(self, recording):
        told = json.loads(self.tailcap("diag", recording.file, "--json"))
        return told, {finding["kind"]: finding for finding in told["findings"]}

    def lose(self, space, device):
        """Returns how to read (packets seen, packets dropped)."""
        source, program = self.scratch / "drops.bpf.c", self.scratch / "drops.o"
        source.write_text(DROPS)
        subprocess.run(
            ["clang", "-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu", "-c", source, "-o", program],
            check=True,
        )
        for words in (
            ["qdisc", "add", "dev", device, "clsact"],
            ["filter", "add", "dev", device, "ingress", "bpf", "direct-action", "obj", program, "sec", "tc"],
        ):
            subprocess.run(["tc", "-n", space, *map(str, words)], check=True, capture_output=True)

        def dropped():
            told = subprocess.run(
                ["tc", "-n", space, "-s", "-j", "qdisc", "show", "dev", device], check=True, capture_output=True
            )
            return sum(q.get("drops", 0) for q in json.loads(told.stdout) if q["kind"] == "clsact")

        return dropped

    def test_the_link_that_loses_packets(self):
        near, far = self.network_namespace("n"), self.network_namespace("f")
        self.pair(near, "good0", far, "good1", "10.77.1")
        self.pair(near, "lossy0", far, "lossy1", "10.77.2")
        # As it arrives at the other end: what a device of this end refuses, TCP does not count as sent.
        dropped = self.lose(near, "lossy0")
        ip("-n", far, "link", "set", "lossy1", "gso_max_segs", 1)
        server = self.server(far)
        clients = [
            self.within(near, CLIENT, address, 60, 300_000, stdin=subprocess.PIPE)
            for address in ("10.77.1.2", "10.77.2.2")
        ]
        with self.record("-p", server.pid, *(word for c in clients for word in ("-p", c.pid))) as recording:
            for client in clients:
                client.communicate(b"go\n", timeout=120)
                self.assertEqual(client.returncode, 0)
        self.assertGreater(dropped(), 20)
        told, findings = self.diag(recording)
        links = told["tcp"]["retransmit_links"]
        count = told["tcp"]["retransmits"]["count"]
        self.assertEqual(sum(link["count"] for link in links), count)
        self.assertGreater(count, 20)
        self.assertEqual((links[0]["interface"], links[0]["net_namespace"]), ("lossy1", namespace_of(server.pid)))
        self.assertGreater(links[0]["count"] / count, 0.9, links)
        self.assertIn("lossy1", findings["retransmits_link"]["text"])
        self.assertEqual(sum(w["count"] for w in told["tcp"]["retransmit_windows"]["listed"]), count)
        self.assertEqual(told["tcp"]["mtu_mismatches"], [])
        # The requests that it slowed down are those over that link.
        rows = self.requests(recording, role="client")
        self.assertEqual(len(rows), 120)
        late = ("down.retx", "net.reorder")
        tagged = [row for row in rows if any(part["label"] in late and part["ns"] for part in row["labels"])]
        self.assertGreater(len(tagged), 10, {part["label"] for row in rows for part in row["labels"]})
        self.assertEqual({row["remote"] for row in tagged}, {"10.77.2.2:8080"})
        trips = {trip["address"]: trip for trip in told["tcp"]["round_trips"]}
        self.assertEqual(set(trips), {"10.77.1.1", "10.77.2.1", "10.77.1.2", "10.77.2.2"})
        for trip in trips.values():
            self.assertEqual(trip["handshakes"], 1)
            self.assertGreater(trip["handshake_most_ns"], 0)

    def routed(self, mtus):
        """Server, router and client; the MTUs of the four ends from the server to the client."""
        near, middle, far = self.network_namespace("n"), self.network_namespace("m"), self.network_namespace("f")
        self.pair(near, "near0", middle, "mid0", "10.77.3")
        self.pair(middle, "mid1", far, "far0", "10.77.4")
        for space, name, mtu in zip((near, middle, middle, far), ("near0", "mid0", "mid1", "far0"), mtus):
            ip("-n", space, "link", "set", name, "mtu", mtu)
        ip("-n", near, "route", "add", "default", "via", "10.77.3.2")
        ip("-n", far, "route", "add", "default", "via", "10.77.4.1")
        forward = [sys.executable, "-c", "open('/proc/sys/net/ipv4/ip_forward', 'w').write('1')"]
        subprocess.run(["ip", "netns", "exec", middle, *forward], check=True)
        return near, middle, far

    def test_packets_larger_than_the_other_end_takes(self):
        near, middle, far = self.routed((9000, 1400, 9000, 9000))
        # One packet at a time, as hardware makes them of a large one; and a queue, without which the loss is no loss for TCP.
        ip("-n", near, "link", "set", "near0", "gso_max_segs", 1)
        subprocess.run(["tc", "-n", near, "qdisc", "add", "dev", "near0", "root", "pfifo"], check=True)
        server, router = self.server(near), self.server(middle)
        with self.record("-p", server.pid, "-p", router.pid) as recording:
            self.get(far, "10.77.3.1", 5, 300)
            client = self.within(far, CLIENT, "10.77.3.1", 1, 100_000)
            time.sleep(8)
            self.end(client)
        told, findings = self.diag(recording)
        self.assertIn("mtu_mismatch", findings, told["tcp"])
        (one,) = told["tcp"]["mtu_mismatches"]
        self.assertEqual(
            (one["interface"], one["mtu"], one["other_interface"], one["other_mtu"]), ("near0", 9000, "mid0", 1400)
        )
        self.assertGreaterEqual(one["large"], 3)

    def test_a_path_that_takes_less_than_the_interface(self):
        near, _, far = self.routed((9000, 9000, 1400, 9000))
        server = self.server(near)
        with self.record("-p", server.pid) as recording:
            self.get(far, "10.77.3.1", 3, 200_000)
        told, findings = self.diag(recording)
        self.assertIn("mtu_mismatch", findings, told["tcp"])
        (one,) = told["tcp"]["mtu_mismatches"]
        self.assertEqual(
            (one["interface"], one["mtu"], one["other_interface"], one["other_mtu"]), ("near0", 9000, None, 1400)
        )

    def test_ordinary_traffic_has_no_mismatch(self):
        near, far = self.network_namespace("n"), self.network_namespace("f")
        self.pair(near, "big0", far, "big1", "10.77.5")
        ip("-n", near, "link", "set", "big0", "mtu", 1400)
        ip("-n", far, "link", "set", "big1", "mtu", 9000)
        # TCP's handshake tells both ends what the other takes.
        dropped = self.lose(near, "big0")
        server, client = self.server(far), self.server(near)
        with self.record("-p", server.pid, "-p", client.pid) as recording:
            self.get(near, "10.77.5.2", 100, 300_000)
        self.assertGreater(dropped(), 5)
        told, findings = self.diag(recording)
        self.assertGreater(told["tcp"]["retransmits"]["count"], 5)
        self.assertEqual(told["tcp"]["mtu_mismatches"], [])
        self.assertNotIn("mtu_mismatch", findings)


if __name__ == "__main__":
    harness.main()
