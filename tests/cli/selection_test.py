#!/usr/bin/env python3
"""A selection chooses what a report is about, and never what explains it.

For each route of each sample, the report of that route alone has the same figures and the same sentences as the report of the
whole capture. The same holds for a gateway whose calls failed, where the calls are of another route.

    tests/cli/selection_test.py --build build/dev [unittest arguments]
"""
import json
import re

import case

HOST = case.ROOT / "tests/golden/h30-proxy-on-the-host/capture.txt"


class Selection(case.Case):
    def report(self, file, *arguments):
        done = self.tailcap("report", file, "--json", *arguments)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return json.loads(done.stdout)

    def routes(self, report):
        """By what names them: all that is said of each, but for places in lists and other routes that felt it."""
        found = {}
        for i, route in enumerate(report["routes"]):
            said = dict(route)
            said["sentences"] = [
                re.sub(r" Felt by [^.]*\.", "", v["sentence"])
                for v in report["verdicts"]
                if v["scope"] == "route" and i in v["routes"]
            ]
            if said["tail"]:
                said["tail"] = {key: value for key, value in said["tail"].items() if key != "verdict"}
            found[route["role"], route["method"], route["route"], route["comm"]] = said
        return found

    def assert_same(self, file, least):
        whole, compared = self.routes(self.report(file)), 0
        for (role, method, route, comm), said in whole.items():
            if None in (method, route, comm):
                continue
            chosen = f'role == "{role}" && method == "{method}" && route == "{route}" && comm == "{comm}"'
            self.assertEqual(self.routes(self.report(file, "-w", chosen)), {(role, method, route, comm): said})
            compared += 1
        self.assertGreaterEqual(compared, least, file)

    def test_samples(self):
        for file in sorted(case.SAMPLES.glob("*/*.tcap")):
            with self.subTest(file.name):
                self.assert_same(file, 1)

    def test_calls_that_failed(self):
        # The shop answers 502: the second of its two calls got a 503.
        text, capture = HOST.read_text(), self.scratch / "capture.tcap"
        answer = 'tid=31 socket=4 pos=101000 data="HTTP/1.1 '
        self.assertIn(answer + "200 OK", text)
        source = self.scratch / "capture.txt"
        source.write_text(text.replace(answer + "200 OK", answer + "502 No"))
        self.assertEqual(case.run(case.program("tests/synth/synth-capture"), source, capture).returncode, 0)
        self.assert_same(capture, 3)
        for chosen in (["--route", "/cart/{}"], ["-w", "status == 502"], ["-w", "duration > 25ms", "--to", "1s"]):
            sentences = [v["sentence"] for v in self.report(capture, *chosen)["verdicts"]]
            self.assertTrue(
                any("the call GET /stock at stock also failed (503)" in s for s in sentences), (chosen, sentences)
            )


if __name__ == "__main__":
    case.main()
