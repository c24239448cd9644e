#!/usr/bin/env python3
"""`tailcap audit`: files and directories, messages, exit codes, schemas.

    tests/cli/audit_test.py --build build/release [unittest arguments]
"""
import csv
import io
import json
import re
import time

import case

try:
    import jsonschema
    import yaml
except ImportError:  # of another Python than the distribution's
    jsonschema = yaml = None

GO_STOCK = (
    case.SAMPLES / "go-stock/go-stock.tcap"
)  # 3 connections from outside to 18081, and 2 of its own to 18082; all over loopback
OLDER = case.SAMPLES / "cut-short/cut-short.tcap"

ALL = "allow_list: all\nrules: [{name: any, to: {port: 1-65535}}]\n"
ONE = "allow_list: one\nrules: [{name: callers, to: {port: 18081}}]\n"
POD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: {podSelector: {}}\n"


def schema_of(name):
    schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs" / name).read_text()))
    schema.check_schema(schema.schema)
    return schema


def errors(name, document):
    return [e.message for e in schema_of(name).iter_errors(document)]


class Audit(case.Case):
    def audit(self, text, *arguments, capture=GO_STOCK):
        (self.scratch / "net.yaml").write_text(text)
        return self.tailcap("audit", capture, "--policies", "net.yaml", *arguments)

    def test_exit_codes(self):
        self.assertEqual(self.audit(ALL).returncode, 0)
        self.assertEqual(self.audit(ONE).returncode, 3)
        unknown = "rules: [{from: {process: curl}, to: {port: 18081}}, {from: {process: shop}}]"
        self.assertEqual(self.audit(unknown).returncode, 4)
        self.assertEqual(self.audit(unknown, "--undecided", "pass").returncode, 0)
        self.assertEqual(self.audit(unknown, "--undecided", "fail").returncode, 3)
        # Nothing is denied in what there is of it.
        self.assertEqual(self.audit(ALL, capture=OLDER).returncode, 4)
        # No process is in a pod: none is selected.
        for default, code, counted in (("allow", 0, (5, 0)), ("deny", 3, (0, 5))):
            done = self.audit(POD, "--default", default, "--json")
            out = json.loads(done.stdout)
            self.assertEqual((done.returncode, out["allowed"], out["denied"], out["unselected"]), (code, *counted, 5))
        # All of it is over loopback.
        self.assertEqual(self.tailcap("audit", GO_STOCK, "--expose", "18081-18082").returncode, 0)

    def test_a_directory(self):
        folder = self.scratch / "policies"
        folder.mkdir()
        self.assert_refused(self.tailcap("audit", GO_STOCK, "--policies", folder), 1, "no file that ends in .yaml")
        (folder / "b.yaml").write_text(ONE)
        (folder / "a.yml").write_text(POD)
        (folder / "README.md").write_text("not a policy")
        out = json.loads(self.tailcap("audit", GO_STOCK, "--policies", folder, "--json").stdout)
        self.assertEqual([(p["name"], p["file"]) for p in out["policies"]], [("b/a", "a.yml"), ("one", "b.yaml")])
        self.assertEqual([f["file"] for f in out["files"]], ["a.yml", "b.yaml"])
        (folder / "c.json").write_text(json.dumps({"allow_list": "one", "rules": []}))
        self.assert_refused(
            self.tailcap("audit", GO_STOCK, "--policies", folder), 2, "c.json:1:1", "one was given before"
        )

    def test_forms(self):
        out = json.loads(self.audit(ONE, "--json").stdout)
        rows = list(csv.DictReader(io.StringIO(self.audit(ONE, "--csv").stdout)))
        self.assertEqual(len(rows), len(out["groups"]))
        self.assertEqual([int(r["connections"]) for r in rows], [g["connections"] for g in out["groups"]])
        self.assertEqual(self.audit(ONE, "-o", "out.csv").returncode, 3)
        self.assertEqual((self.scratch / "out.csv").read_text(), self.audit(ONE, "--format", "csv").stdout)
        self.assertIn("<table", self.audit(ONE, "--format", "html").stdout)
        self.assert_refused(self.audit(ONE, "--csv", "--json"), 2, "--csv is a form")
        self.assert_refused(self.audit(ONE, "-o", "out.svg"), 2, ".svg")

    def test_what_is_wrong_is_said(self):
        self.assert_refused(self.tailcap("audit"), 2, "no file given")
        self.assert_refused(self.tailcap("audit", GO_STOCK), 2, "--policies names")
        self.assert_refused(self.audit(POD.replace("v1\n", "v2\n", 1)), 2, "net.yaml:1:13", "networking.k8s.io/v2")
        self.assert_refused(self.audit("rules: [{to: {prot: 80}}]"), 2, "net.yaml:1:15", "did you mean 'port'?")
        self.assert_refused(self.audit("conditions: []"), 2, "unknown key 'conditions'")
        self.assert_refused(self.audit(ALL, "--default", "reject"), 2, "reject")
        self.assert_refused(self.tailcap("audit", GO_STOCK, "--policies", "absent.yaml"), 1, "absent.yaml")
        self.assert_refused(self.audit(ALL, "--pods", "absent.yaml"), 1, "absent.yaml")
        (self.scratch / "pods.yaml").write_text("pods: [{name: a}]")
        self.assert_refused(self.audit(ALL, "--pods", "pods.yaml"), 2, "pods.yaml:1:8", "a name and a namespace")
        for ports in ("0", "65536", "80-", "90-80", "http", ",", "80,,90"):
            self.assert_refused(self.tailcap("audit", GO_STOCK, "--expose", ports), 2, "--expose")

    def test_hostile_files_end(self):
        for text in (
            "[" * 100_000,
            "rules: &s\n  - *s",
            "\0",
            "a" * (2 << 20),
            "rules: []\na: &a [" + "x," * 1000 + "]\nb: &b [" + "*a," * 1000 + "]\nc: [" + "*b," * 1000 + "]",
            "---\nrules: []\n" * 1001,
            "rules:\n" + "- {to: {port: 1}}\n" * 10_001,
        ):
            begun = time.monotonic()
            self.assert_refused(self.audit(text), 2, "net.yaml:")
            self.assertLess(time.monotonic() - begun, 20)

    def test_schemas(self):
        if not jsonschema:
            self.skipTest("no jsonschema or yaml")
        for arguments in ((), ("--expose", "18081"), ("--default", "deny")):
            self.assertEqual(
                errors("audit.schema.json", json.loads(self.audit(ONE + "---\n" + POD, "--json", *arguments).stdout)),
                [],
            )
        broken = json.loads(self.audit(ONE, "--json").stdout)
        broken["groups"][0]["verdict"] = "maybe"
        self.assertNotEqual(errors("audit.schema.json", broken), [])
        lists, pods = re.findall(r"```yaml\n(.*?)```", (case.ROOT / "docs/audit.md").read_text(), re.S)
        self.assertEqual(errors("network-policy.schema.json", yaml.safe_load(lists)), [])
        self.assertIn(self.audit(lists).returncode, (0, 3, 4))
        self.assertEqual(errors("pods.schema.json", yaml.safe_load(pods)), [])
        (self.scratch / "pods.yaml").write_text(pods)
        self.assertEqual(self.audit(ALL, "--pods", "pods.yaml").returncode, 0)
        for wrong in (
            "rules: [{from: {port: 80}}]",
            "rules: [{to: {prot: 80}}]",
            "rules: [{name: x}]",
            "rules: [{to: {}}]",
            "rules: [{to: {except: 10.0.0.0/8}}]",
            "rules: [{to: {address: example.com}}]",
            "rules: [{to: {port: http}}]",
            "rules: [{to: {process: []}}]",
            "default: allow",
            "rules: []\ndefault: reject",
        ):
            self.assertNotEqual(errors("network-policy.schema.json", yaml.safe_load(wrong)), [], wrong)
            self.assertEqual(self.audit(wrong).returncode, 2, wrong)


if __name__ == "__main__":
    case.main()
