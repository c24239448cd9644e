"""`report --json` is what docs/report.schema.json says, for captures of every kind; and the schema can fail. Other documents likewise.

    schema_test.py --build build/release
"""
import copy
import json
import subprocess
import tempfile
import unittest

import case
import jsonschema

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))


class ReportSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/report.schema.json").read_text()))
        cls.schema.check_schema(cls.schema.schema)

    def report(self, capture):
        done = subprocess.run([case.program(), "report", "--json", capture], capture_output=True, check=False)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return json.loads(done.stdout)

    def test_reports_are_as_it_says(self):
        self.assertGreaterEqual(len(CAPTURES), 5)
        verdicts = set()
        for capture in CAPTURES:
            report = self.report(capture)
            errors = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in self.schema.iter_errors(report)]
            self.assertEqual(errors, [], capture)
            verdicts |= {verdict["kind"] for verdict in report["verdicts"]}
        # What is only there with a comparison was looked at, too.
        self.assertIn("tail", verdicts)

    def test_it_refuses_what_is_not(self):
        good = self.report(next(c for c in CAPTURES if c.stem == "lock-contention"))
        route = next(i for i, r in enumerate(good["routes"]) if r["tail"] and r["tail"]["verdict"]["kind"] == "tail")

        def spoiled(spoil):
            report = copy.deepcopy(good)
            spoil(report, report["routes"][route]["tail"])
            return not self.schema.is_valid(report)

        self.assertTrue(spoiled(lambda r, tail: tail["verdict"].update(kind="perhaps")))
        self.assertTrue(spoiled(lambda r, tail: tail["verdict"].pop("sentence")))
        self.assertTrue(spoiled(lambda r, tail: tail["labels"][0].update(difference_ns=0.5)))
        self.assertTrue(spoiled(lambda r, tail: tail["exemplars"][0].update(why="nice")))
        self.assertTrue(spoiled(lambda r, tail: r.pop("quality")))
        self.assertTrue(spoiled(lambda r, tail: r["slowest"][0].update(outcome="perhaps")))
        self.assertTrue(spoiled(lambda r, tail: r["slowest"][0].pop("x_request_id")))
        self.assertTrue(spoiled(lambda r, tail: r.update(schema=1)))
        self.assertTrue(spoiled(lambda r, tail: r["slowest"][0]["labels"][0].update(ns="1")))
        self.assertTrue(spoiled(lambda r, tail: r["routes"][route]["latency"][0].update(support="maybe")))
        self.assertTrue(spoiled(lambda r, tail: r["health"].update(window_ns=-1)))
        self.assertFalse(spoiled(lambda r, tail: r.update(a_later_name=1)))


OPEN = ("report", "requests", "show")  # names may be added
DOCUMENTS = (
    *("diag", "audit", "policy", "compare", "diff", "assert"),
    *("tree", "top", "topology", "timeline", "spans", "flame", "merge", "info"),
    *("summarise", "baseline", "scorecard", "fleet", "similar", "cardinality"),
    *OPEN,
)
SMALL = ("flame", "merge", "top")  # an object in an object
SOMETIMES = {"waits", "waits_with_stack", "typical"}  # names of flame --json


def written_schema(command):
    name = "request" if command == "requests" else command
    return json.loads((case.ROOT / f"docs/{name}.schema.json").read_text())


def objects(schema):
    """All parts of a schema that say something of an object with names of its own."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def wrong(value):
    """The same document with a list of lists in the place of every value."""
    if isinstance(value, dict) and value:
        return {name: wrong(one) for name, one in value.items()}
    return [wrong(one) for one in value] if isinstance(value, list) and value else [[[]]]


def places(value, path=()):
    if isinstance(value, (dict, list)) and value:
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, name))
    else:
        yield path


def errors(found):
    for error in found:
        yield tuple(error.absolute_path)
        yield from errors(error.context or ())


class DocumentSchemas(unittest.TestCase):
    """Schemas that `tailcap COMMAND --schema` prints."""

    def test_they_need_no_file_and_nothing_else(self):
        for command in DOCUMENTS:
            done = case.run(case.program(), command, "--schema")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            written = written_schema(command)
            self.assertEqual(json.loads(done.stdout), written, command)
            jsonschema.Draft202012Validator.check_schema(written)
            for more in ("some.tcap", "--json"):
                done = case.run(case.program(), command, "--schema", more)
                self.assertEqual((done.returncode, done.stdout), (2, ""), (command, more))
                self.assertIn("--schema takes no FILE and no other option", done.stderr)

    def test_every_member_is_named(self):
        for command in DOCUMENTS:
            found = list(objects(written_schema(command)))
            self.assertGreater(len(found), 1 if command in SMALL else 2, command)
            for schema in found:
                self.assertLessEqual(set(schema["required"]), set(schema["properties"]), command)
                if command not in OPEN:
                    left_out = SOMETIMES if command == "flame" else set()
                    self.assertEqual(set(schema["required"]) | left_out, set(schema["properties"]) | left_out, command)
                    self.assertIs(schema["additionalProperties"], False, command)

    def test_a_wrong_value_fails_wherever_it_is(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        some = json.loads(case.run(case.program(), "requests", capture, "--json", "-n", "1").stdout)["id"]
        for command in (
            *(["diag"], ["audit", "--expose", "1-65535"], ["report"]),
            *(["requests", "-n", "1", "--headers"], ["show", some], ["tree", some], ["tree"]),
            *(
                ["top"],
                ["topology"],
                ["topology", "--window", "1s"],
                ["timeline", "--to", "100ms"],
                ["spans", "--explain"],
            ),
            *(["flame", "--measure", "off-cpu"], ["info"], ["info", "--goroutines"], ["info", "--interfaces"]),
            *(
                ["summarise"],
                ["baseline"],
                ["cardinality", "--max-series", "10"],
                ["scorecard", "--at-most", "p99: 1ms, errors: 1%, calls: 2"],
                ["fleet", "--at-most", "p99: 1ms, errors: 1%"],
            ),
            ["similar", case.SAMPLES / "lock-contention/lock-contention.tcap"],
            ["diff", "--before", "1500ms"],
        ):
            done = case.run(case.program(), command[0], capture, *command[1:], "--json")
            schema = jsonschema.Draft202012Validator(written_schema(command[0]))
            document = json.loads(done.stdout)
            self.assertTrue(schema.is_valid(document), command)
            refused = {at[:n] for at in errors(schema.iter_errors(wrong(document))) for n in range(len(at) + 1)}
            self.assertEqual([path for path in places(document) if path not in refused], [], command)


class RequestSchema(unittest.TestCase):
    """Lines of `requests --json` are what docs/request.schema.json says, which is made of the list of columns."""

    @classmethod
    def setUpClass(cls):
        cls.schema = jsonschema.Draft202012Validator(written_schema("requests"))
        cls.schema.check_schema(cls.schema.schema)

    def lines(self, capture):
        done = case.run(case.program(), "requests", capture, "--json", "--headers")
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_lines_are_as_it_says(self):
        known = self.schema.schema["properties"]
        for capture in CAPTURES:
            for line in self.lines(capture):
                errors = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in self.schema.iter_errors(line)]
                self.assertEqual(errors, [], capture)
                # Nothing else, at the top or in objects whose members are columns.
                self.assertLessEqual(set(line), set(known), capture)
                for name, value in line.items():
                    if isinstance(value, dict):
                        self.assertLessEqual(set(value), set(known[name]["properties"]), name)

    def test_it_refuses_what_is_not(self):
        good = self.lines(next(c for c in CAPTURES if c.stem == "go-stock"))[0]
        self.assertTrue(self.schema.is_valid(good))
        for spoil in (
            {"outcome": "perhaps"},
            {"duration_ns": 0.5},
            {"schema": 2},
            {"tainted": ["lost"]},
            {"phases": {"arrive": "1"}},
            {"setup": 3},
        ):
            self.assertFalse(self.schema.is_valid({**good, **spoil}), spoil)
        self.assertFalse(self.schema.is_valid({name: value for name, value in good.items() if name != "x_request_id"}))

    def test_files_are_what_the_columns_make_of_them(self):
        done = case.run(case.ROOT / "scripts/columns", "--build", case.BUILD)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


class EveryCommand(unittest.TestCase):
    """Each JSON document says which version of the contract (docs/JSON.md) it follows."""

    def assert_versioned(self, *arguments):
        done = case.run(case.program(), *arguments)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.assertEqual(json.loads(done.stdout)["schema"], 3, arguments)

    def test_of_one_capture(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        some = json.loads(case.run(case.program(), "requests", capture, "--json", "-n", "1").stdout)["id"]
        for command in (
            ["report"],
            ["show", some],
            ["tree", some],
            ["tree"],
            ["topology"],
            ["topology", "--window", "1s"],
            ["timeline"],
            ["spans", "--explain"],
            ["flame", "--measure", "off-cpu"],
            ["diag"],
            ["diff", "--before", "1500ms"],
            ["info"],
            ["info", "--goroutines"],
            ["check"],
        ):
            with self.subTest(command=command):
                self.assert_versioned(command[0], capture, *command[1:], "--json")

    def test_of_each_line(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        for command in ("requests", "events"):
            lines = case.run(case.program(), command, capture, "--json", "-n", "50").stdout.splitlines()
            self.assertEqual([json.loads(line)["schema"] for line in lines], [3] * 50, command)

    def test_merge(self):
        with tempfile.TemporaryDirectory(prefix="tailcap-schema-") as folder:
            captures = []
            for name in ("web", "db"):
                captures.append(f"{folder}/{name}.tcap")
                subprocess.run(
                    [
                        case.program("tests/synth/synth-capture"),
                        case.ROOT / f"tests/golden/merge/{name}.txt",
                        captures[-1],
                    ],
                    check=True,
                )
            self.assert_versioned("merge", *captures, "-o", f"{folder}/both.tcap", "--json")


if __name__ == "__main__":
    case.main()
