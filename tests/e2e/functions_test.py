"""`tailcap compare` names the function that uses more CPU time in the new version, and none where versions are equal."""
import http.client
import json
import pathlib
import subprocess
import time

import harness
from harness import Case, answers, free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parent
RUNS, REQUESTS, RATE = 5, 200, 80  # a side; of a run; a second


class Functions(Case):
    def setUp(self):
        super().setUp()
        self.program = self.scratch / "functions-service"
        subprocess.run(
            ["cc", "-O1", "-fno-omit-frame-pointer", "-o", self.program, HERE / "functions_service.c"],
            check=True,
            timeout=60,
        )

    def run_once(self, name, microseconds, sampling=("--sample", 997)):
        """Records one run at a fixed rate; returns the capture and the CPU time that the service measured, µs a request."""
        port, log = free_port(), self.scratch / f"{name}.log"
        with open(log, "w") as out:
            server = self.start([self.program, port, microseconds], stdout=out)
            wait_until(lambda: answers(("127.0.0.1", port)), "the service")
            with self.record("-p", server.pid, *sampling, name=f"{name}.tcap") as recording:
                before = len(log.read_text().splitlines())
                connection = http.client.HTTPConnection("127.0.0.1", port)
                begin = time.monotonic()
                for n in range(REQUESTS):
                    time.sleep(max(0, begin + n / RATE - time.monotonic()))
                    connection.request("GET", "/pay")
                    connection.getresponse().read()
                connection.close()
            self.end(server)
        measured = [float(line) for line in log.read_text().splitlines()[before:]]
        self.assertEqual(len(measured), REQUESTS)
        return recording.file, sum(measured) / REQUESTS

    def compare(self, sides, form="json"):
        done = subprocess.run(
            [
                harness.BUILD / "analyze/tailcap",
                "compare",
                *sides[0],
                "--",
                *sides[1],
                "--warmup",
                "100ms",
                "--format",
                form,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertIn(done.returncode, (0, 3, 4), done.stderr)
        return json.loads(done.stdout) if form == "json" else done.stdout

    def test_the_planted_function_is_named(self):
        planted = {"a": 1000, "b": 3000, "c": 1000}  # µs in json_encode; a and c are one version
        files, spent = {k: [] for k in planted}, {k: [] for k in planted}
        for n in range(RUNS):
            for k in ("a", "b", "c") if n % 2 == 0 else ("c", "b", "a"):
                file, time_of = self.run_once(f"{k}{n}", planted[k])
                files[k].append(file)
                spent[k].append(time_of)
        mean = lambda k: sum(spent[k]) / RUNS
        truth = (mean("b") - mean("a")) * 1000  # ns a request, of the whole handler: only json_encode differs
        found = self.compare((files["a"], files["b"]))["functions"]
        named = [f for f in found["changes"] if f["estimate"]["noticed"]]
        print(f"  planted +{truth / 1e6:.3f} ms a request; found {[f['sentence'] for f in named]}; {found['missing']}")
        self.assertIsNone(found["missing"])
        self.assertEqual([(f["function"], f["caller"]) for f in named], [("json_encode", "render")])
        (function,) = named
        self.assertEqual(function["route"]["route"], "/pay")
        estimate = function["estimate"]
        self.assertLess(abs(estimate["difference"] - truth), 0.15 * truth)
        self.assertLess(estimate["low"], estimate["difference"])
        self.assertLess(estimate["difference"], estimate["high"])
        self.assertLess(estimate["high"] - estimate["low"], truth)
        self.assertGreater(function["new_samples"], 2 * function["base_samples"])
        for form in ("text", "md", "html"):
            text = self.compare((files["a"], files["b"]), form).replace("\\_", "_")  # as Markdown has it
            self.assertIn("json_encode, called from render", text)
        # The other function is compared, and takes what it took.
        stock = next(f for f in found["changes"] if f["function"] == "check_stock")
        self.assertLess(abs(stock["estimate"]["base"] - 1e6), 0.25e6)

        null = self.compare((files["a"], files["c"]))["functions"]
        print(f"  equal: {null['compared']} compared, {null['base_samples']} and {null['new_samples']} samples")
        self.assertIsNone(null["missing"])
        self.assertGreaterEqual(null["compared"], 2)
        self.assertEqual([f["sentence"] for f in null["changes"] if f["estimate"]["noticed"]], [])
        self.assertIn("No change is certain in", self.compare((files["a"], files["c"]), "text"))
        self.assertNotIn("Functions whose CPU time changed", self.compare((files["a"], files["c"]), "md"))

        few = self.compare((files["a"][:2], files["b"][:2]))["functions"]
        self.assertIn("2 of the 5 runs", few["missing"])
        self.assertEqual(few["changes"], [])
        self.assertIn("Functions are not compared", self.compare((files["a"][:2], files["b"][:2]), "text"))

    def test_without_samples_nothing_is_said(self):
        file, _ = self.run_once("plain", 500, sampling=("--no-sample",))
        self.assertIsNone(self.compare(([file], [file]))["functions"])
        self.assertNotIn("CPU time", self.compare(([file], [file]), "text"))


if __name__ == "__main__":
    harness.main()
