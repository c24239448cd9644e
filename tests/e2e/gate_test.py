"""scripts/ci-gate with a real service: one more call per request is found, equal versions are not."""
import json
import subprocess
import sys
import time

import harness
from harness import Case, free_port


class Gate(Case):
    RATE, SECONDS = 60, 2

    def gate(self, base, new, *arguments, runs=2, out="gate"):
        if not hasattr(self, "stock"):
            self.stock = f"127.0.0.1:{free_port()}"
            self.sample_service("--port", self.stock.split(":")[1], ready=("127.0.0.1", int(self.stock.split(":")[1])))
        port = free_port()
        service = f"{sys.executable} {harness.ROOT}/tests/e2e/gate_service.py --port {port} --stock {self.stock}"
        load = f"{harness.BUILD}/samples/tailcap-load http://127.0.0.1:{port} -r {self.RATE} -c 4 -d {self.SECONDS} --route '1 GET /pay' --log {self.scratch}/load.jsonl"
        done = subprocess.run([harness.ROOT / "scripts/ci-gate", "--build", harness.BUILD, "--base", f"{service} {base}", "--new", f"{service} {new}", "--load", load,
                               "--ready", f"127.0.0.1:{port}", "--runs", str(runs), "--out", self.scratch / out, *arguments],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
        self.assertIn(done.returncode, (0, 3, 4), done.stdout + done.stderr)
        return done, json.loads((self.scratch / out / "verdict.json").read_text())

    def test_one_more_call_is_found_and_confirmed(self):
        done, verdict = self.gate("--calls 1", "--calls 2", "--fail-on", "calls(/pay) > +0")
        self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
        self.assertIn("confirmed by 2 fresh runs", verdict["why"])
        document = json.loads((self.scratch / "gate/comparison.json").read_text())
        estimate = document["gates"][0]["estimate"]
        self.assertEqual((estimate["base"], estimate["new"], estimate["exact"]), (1, 2, True))
        self.assertIn("to GET /stock/shirts", document["gates"][0]["sentence"])
        # The runs that confirm are others than those that flagged it.
        captures = {folder: len(list((self.scratch / "gate" / folder).glob("*/*.tcap"))) for folder in ("screen", "confirm")}
        self.assertEqual(captures, {"screen": 4, "confirm": 4})
        self.assertTrue((self.scratch / "gate/junit.xml").read_text().startswith("<?xml"))

    def test_equal_versions_pass(self):
        # Other words, so that the gate does not take them for one version.
        done, verdict = self.gate("--calls 1", "--calls 01", "--fail-on", "calls(/pay) > +0")
        self.assertEqual((done.returncode, verdict["verdict"]), (0, "pass"), done.stdout + done.stderr)

    def test_what_does_not_start_is_said(self):
        began = time.monotonic()
        done = subprocess.run([harness.ROOT / "scripts/ci-gate", "--build", harness.BUILD, "--base", "false", "--new", "true", "--load", "true", "--settle", "0.2s", "--out", self.scratch / "x"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the service of base ended with 1", done.stderr)
        self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    harness.main()
