"""The DaemonSet and its chart, held against the types of Kubernetes, and `kubectl tailcap` on this machine as the node.

There is no cluster here. A program that stands in for kubectl answers `get` from a file, and runs what `exec` asks for with
the rights that the manifest gives the container: its capabilities, a /sys that cannot be written, its own identity.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import harness
from harness import Case, free_port, wait_until

FOLDER = harness.ROOT / "packaging/kubernetes"
NODE, POD = "node-a", "tailcap-x7k2p"

KUBECTL = r"""#!/usr/bin/env python3
import ctypes, json, os, subprocess, sys
state = json.load(open(os.environ["STAND_IN"]))
words = sys.argv[1:]
if words[0] == "get":
    what = " ".join(w for w in words[1:] if w not in ("-o", "json"))
    if what not in state["answers"]:
        sys.exit(f"Error from server (NotFound): {what}")
    print(json.dumps(state["answers"][what]))
    sys.exit(0)
assert words[0] == "exec", words
at = words.index("--")
assert words[1:at] == ["-n", "tailcap", state["pod"], "-c", "recorder"], words
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x20000) == 0  # mounts of its own
subprocess.run("mount --make-rprivate / && mount -o remount,bind,ro /sys", shell=True, check=True)
for capability in range(64):
    if capability not in state["capabilities"]:
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
os.execv(state["tailcap"], ["tailcap"] + words[at + 2 :])
"""

# As <linux/capability.h> numbers them.
NUMBERS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "DAC_READ_SEARCH": 2,
    "SETGID": 6,
    "SETUID": 7,
    "SYS_PTRACE": 19,
    "SYS_ADMIN": 21,
    "SYS_NICE": 23,
    "PERFMON": 38,
    "BPF": 39,
    "CHECKPOINT_RESTORE": 40,
}


def rendered(values=None):
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
    command = ["go", "run", FOLDER / "render.go", FOLDER / "chart", "tailcap", *([values] if values else [])]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


# Debian's Python has the module; a test may run in another one.
TYPES = """
import json
from kubernetes.client import models
kinds = {k: v for k, v in vars(models).items() if hasattr(v, "openapi_types")}
print(json.dumps({k: {v.attribute_map[n]: t for n, t in v.openapi_types.items()} for k, v in kinds.items()}))
"""


class Manifests(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = subprocess.run(["/usr/bin/python3", "-c", TYPES], check=True, capture_output=True, text=True)
        cls.types = json.loads(done.stdout)

    def strictly(self, value, kind, where):
        """Every member is one of the type's, and has its type."""
        if kind.startswith("list["):
            self.assertIsInstance(value, list, where)
            for i, part in enumerate(value):
                self.strictly(part, kind[5:-1], f"{where}[{i}]")
        elif kind.startswith("dict("):
            self.assertIsInstance(value, dict, where)
            for key, part in value.items():
                self.strictly(part, kind[5:-1].split(", ")[1], f"{where}.{key}")
        elif kind in ("str", "int", "bool", "object"):
            self.assertIsInstance(value, {"str": str, "int": int, "bool": bool, "object": object}[kind], where)
        else:
            members = self.types[kind]
            self.assertIsInstance(value, dict, where)
            for key, part in value.items():
                self.assertIn(key, members, where)
                self.strictly(part, members[key], f"{where}.{key}")

    def documents(self, text):
        import yaml

        return list(yaml.safe_load_all(text))

    def test_the_manifest_is_the_chart_with_its_defaults(self):
        self.assertEqual((FOLDER / "daemonset.yaml").read_text(), rendered())

    def test_types(self):
        flight = self.scratch / "flight.yaml"
        flight.write_text("flight: [--comm, my-service, --last, 60s]\ncaptures: /var/captures\n")
        for text, containers in ((rendered(), ["recorder"]), (rendered(flight), ["recorder", "flight"])):
            namespace, daemons = self.documents(text)
            self.strictly(namespace, "V1Namespace", "namespace")
            self.strictly(daemons, "V1DaemonSet", "daemonset")
            spec = daemons["spec"]["template"]["spec"]
            self.assertEqual([c["name"] for c in spec["containers"]], containers)
            self.assertEqual(
                daemons["spec"]["selector"]["matchLabels"], daemons["spec"]["template"]["metadata"]["labels"]
            )
            volumes = {v["name"] for v in spec["volumes"]}
            for container in spec["containers"]:
                self.assertEqual({m["name"] for m in container["volumeMounts"]}, volumes)
                self.assertFalse(container["securityContext"]["privileged"])
        self.assertEqual(spec["containers"][1]["args"][-1], "/var/captures/flight.tcap")

    def test_a_wrong_member_is_found(self):
        _, daemons = self.documents(rendered())
        daemons["spec"]["template"]["spec"]["hostPid"] = True
        with self.assertRaisesRegex(AssertionError, "hostPid"):
            self.strictly(daemons, "V1DaemonSet", "daemonset")


class Services(Case):
    """Who calls knows the address of a Service only; what serves there is not recorded."""

    ADDRESS = "127.0.0.77"

    def client(self, server, calls):
        program = f"""if True:
            import http.client, sys
            sys.stdin.readline()
            for _ in range({calls}):
                c = http.client.HTTPConnection("{self.ADDRESS}", {server})
                c.request("GET", "/")
                c.getresponse().read()
            """
        return self.start([sys.executable, "-c", program], stdin=subprocess.PIPE, text=True)

    def test_topology_calls_addresses_by_their_services(self):
        port = free_port()
        self.start(
            [sys.executable, "-m", "http.server", port, "--bind", self.ADDRESS],
            cwd=self.scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: harness.answers((self.ADDRESS, port)), "the service")
        client = self.client(port, 10)
        with self.record("-p", client.pid) as recording:
            client.communicate("\n", timeout=20)
        service = {
            "metadata": {"name": "stock", "namespace": "shop"},
            "spec": {"clusterIP": self.ADDRESS, "ports": [{"port": port}]},
        }
        named = self.scratch / "services.json"
        named.write_text(json.dumps({"kind": "ServiceList", "items": [service]}))
        topology = json.loads(self.tailcap("topology", recording.file, "--services", named, "--json"))
        (called,) = [node for node in topology["nodes"] if node["kind"] == "address"]
        self.assertEqual((called["name"], called["service"]), (f"{self.ADDRESS}:{port}", "shop/stock"))
        self.assertEqual([call["requests"] for call in topology["calls"]], [10])
        self.assertIn("shop/stock", self.tailcap("topology", recording.file, "--services", named))
        (unnamed,) = [
            n for n in json.loads(self.tailcap("topology", recording.file, "--json"))["nodes"] if n["kind"] == "address"
        ]
        self.assertIsNone(unnamed["service"])


class Plugin(Case):
    def setUp(self):
        super().setUp()
        import yaml

        self.port = free_port()
        *_, mount = [
            l.split()[1] for l in pathlib.Path("/proc/mounts").read_text().splitlines() if l.split()[2] == "cgroup2"
        ]
        self.identity = f"{time.monotonic_ns():064x}"[::-1]
        self.group = pathlib.Path(mount, f"kubepods-{self.identity[:8]}.slice/cri-containerd-{self.identity}.scope")
        self.group.mkdir(parents=True)
        self.addCleanup(self.remove_group)
        command = f"echo $$ > {self.group}/cgroup.procs; exec {harness.BUILD}/samples/tailcap-sample-service --port {self.port}"
        self.members = self.start(["sh", "-c", command], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the service")
        _, daemons = yaml.safe_load_all((FOLDER / "daemonset.yaml").read_text())
        rights = daemons["spec"]["template"]["spec"]["containers"][0]["securityContext"]["capabilities"]
        self.assertEqual(rights["drop"], ["ALL"])
        running = {"phase": "Running"}
        pod = {
            "kind": "Pod",
            "metadata": {"name": "shop-1", "namespace": "default"},
            "spec": {"nodeName": NODE},
            "status": {
                **running,
                "containerStatuses": [
                    {"containerID": f"containerd://{self.identity}", "state": {"running": {}}},
                    {"containerID": "containerd://" + "f" * 64, "state": {"terminated": {}}},
                ],
            },
        }
        self.state = {
            "pod": POD,
            "tailcap": str(harness.BUILD / "analyze/tailcap"),
            "capabilities": [NUMBERS[name] for name in rights["add"]],
            "answers": {
                "deploy/shop": {
                    "kind": "Deployment",
                    "metadata": {"namespace": "default"},
                    "spec": {"selector": {"matchLabels": {"app": "shop"}}},
                },
                "pods -l app=shop -n default": {"items": [pod]},
                "pods -l app=shop": {"items": [pod]},
                "pods -l app=idle": {"items": []},
                "pods -l app.kubernetes.io/name=tailcap -n tailcap": {
                    "items": [{"metadata": {"name": POD}, "spec": {"nodeName": NODE}, "status": running}]
                },
            },
        }
        kubectl = self.scratch / "bin/kubectl"
        kubectl.parent.mkdir()
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)

    def remove_group(self):
        self.end(self.members)
        wait_until(lambda: not (self.group / "cgroup.procs").read_text(), "an empty cgroup")
        self.group.rmdir()
        self.group.parent.rmdir()

    def plugin(self, *words):
        state = self.scratch / "state.json"
        state.write_text(json.dumps(self.state))
        environment = {**os.environ, "PATH": f"{self.scratch}/bin:{os.environ['PATH']}", "STAND_IN": str(state)}
        return subprocess.Popen(
            [sys.executable, FOLDER / "kubectl-tailcap", *words],
            cwd=self.scratch,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, process):
        out, said = process.communicate(timeout=60)
        return process.returncode, out, said

    def test_all_requests_of_a_deployment_with_the_rights_of_the_manifest(self):
        process = self.plugin("record", "deploy/shop", "-d", "6s", "-o", "shop.tcap")
        first = process.stderr.readline()
        self.assertIn(f"{NODE}: recording cgroup {self.group} ", first)
        truth = self.load(f"http://127.0.0.1:{self.port}", "-n", "100", "--route", "1 GET /file")
        code, out, said = self.ended(process)
        self.assertEqual((code, out), (0, "shop.tcap\n"), said)
        rows = harness.json_lines(self.tailcap("requests", self.scratch / "shop.tcap", "--json"))
        self.assertEqual(len(rows), 100)
        self.assert_same(truth, [r for r in rows if r["role"] == "server"])

    def test_a_selector_and_no_running_container(self):
        code, _, said = self.ended(self.plugin("record", "-l", "app=idle"))
        self.assertEqual((code, said), (1, "kubectl tailcap: no container of app=idle is running\n"))
        code, _, said = self.ended(self.plugin("record", "deploy/other"))
        self.assertEqual(code, 1)
        self.assertIn("NotFound", said)

    def test_a_node_without_tailcap(self):
        self.state["answers"]["pods -l app.kubernetes.io/name=tailcap -n tailcap"] = {"items": []}
        code, _, said = self.ended(self.plugin("record", "-l", "app=shop"))
        self.assertEqual(code, 1)
        self.assertIn(f"no pod of tailcap is running on {NODE}", said)
        self.assertEqual(list(self.scratch.glob("*.tcap")), [])

    def test_a_command_on_the_node(self):
        sample = harness.ROOT / "samples/captures/lock-contention/lock-contention.tcap"
        code, out, said = self.ended(self.plugin("run", "--node", NODE, "--", "info", str(sample)))
        self.assertEqual(code, 0, said)
        self.assertIn("lock-contention.tcap", out)


if __name__ == "__main__":
    harness.main()
