"""scripts/laws and scripts/manual find what they look for, and nothing else."""
import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class Words(unittest.TestCase):
    laws = script("laws")

    def test_a_document(self):
        found = list(
            self.laws.check_words("x.md", "It is told.\n\n    told\n```\nnobody\n```\nof `told`, and the toldo\n")
        )
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith("x.md:1: 'told'"), found)

    def test_a_quantity_without_a_number(self):
        text = "For so long. So many rows.\n`so many`; so many that\n"
        found = list(self.laws.check_words("x.md", text))
        self.assertEqual([line.split("'")[1] for line in found], ["For so long", "So many"], found)
        found = list(self.laws.check_literals("x.cc", 'a("keep so much"); // so much\n'))
        self.assertEqual([line.split("'")[1] for line in found], ["so much"], found)

    def test_an_option_text_stands_alone(self):
        text = """constexpr Definition kA{"a", 0, "N", "that match, like this", 0};
constexpr Definition kB{"b", 'b', nullptr,
                        "of this route", 0};
constexpr Definition kC{"c", 0, nullptr, "offers that: only what matches, of this route", 0};
"""
        found = list(self.laws.check_option_texts("x.cc", text))
        self.assertEqual([line.split("--")[1].split(" ")[0] for line in found], ["a", "b"], found)

    def test_a_message(self):
        found = list(self.laws.check_literals("x.cc", 'a("Nobody came"); // "told"\nb("told", R"(it\nails)");\n'))
        self.assertEqual([line.split("'")[1] for line in found], ["Nobody", "ails"], found)

    def test_a_comment(self):
        text = """a("// told", '"', 1'000);  // Nobody's 1'000
/* who ails
   whom */ b(R"(// told)");  // `told`, and the toldo
"""
        found = list(self.laws.check_comments("x.cc", text))
        self.assertEqual([line.split("'")[1] for line in found], ["Nobody", "ails", "whom"], found)
        self.assertTrue(found[0].startswith("x.cc:1: ") and found[1].startswith("x.cc:2: "), found)

    def openings(self, path, text):
        return [line.split(":")[1] for line in self.laws.check_sentences(path, text) if "begins with 'Of'" in line]

    def test_a_sentence_that_begins_with_of(self):
        text = """int a;  // Of b
// The rest. Of these:
//   - Of d, (Of e) and "Of f"
/* A part
 * Of
 */
using Of = M::Of;  // M::Of, of it; `Of x`, Offset, the Point Of View
const char* c = "// Of c";
"""
        for path in ("x.cc", "x.h", "x.bpf.c", "x.go", "x.js"):
            self.assertEqual(self.openings(path, text), ["1", "2", "3", "5"], path)
        text = """a=1  # Of b
# The rest: Of these
b="Of c" # the colour, of it
"""
        for path in ("x.sh", "CMakeLists.txt", "x.capnp"):
            self.assertEqual(self.openings(path, text), ["1", "2"], path)
        self.assertEqual(self.openings("run", "#!/bin/sh\n" + text), ["2", "3"])
        self.assertEqual(self.openings("x.sql", "select 1 -- Of b\n"), ["1"])
        text = """class A:
    '''Of it
    and. Of that'''

    def b(self):
        return "# Of c"  # Of d
"""
        self.assertEqual(sorted(self.openings("x.py", text)), ["2", "3", "6"])
        text = "Of Go: a.\n- Of\n  it. And Of it, *b.* Of c\n`Of d`\n```\nOf e\n```\n| Of f |\nNot of g.\n"
        found = [line.split(":")[1] for line in self.laws.check_words("x.md", text)]
        self.assertEqual(found, ["1", "2", "3", "8"])

    def test_a_quantity_in_a_comment(self):
        found = list(
            self.laws.check_sentences("x.h", "int a;  // so many\n// so much that, `so many`\n// for so long\n")
        )
        self.assertEqual([line.split("'")[1] for line in found], ["so many", "for so long"], found)

    def test_a_format(self):
        with tempfile.TemporaryDirectory(dir=SCRIPTS.parent / "build") as folder:  # below .clang-format
            good, bad = pathlib.Path(folder, "good.h"), pathlib.Path(folder, "bad.h")
            good.write_text("int add(int a, int b);\n")
            bad.write_text("int  add(int a,int b);\n")
            self.assertEqual(list(self.laws.check_format([str(good)])), [])
            found = list(self.laws.check_format([str(good), str(bad)]))
        self.assertTrue(found and all(line.startswith(f"{bad}:1:") for line in found), found)


class Manual(unittest.TestCase):
    manual = script("manual")

    def test_an_option_that_does_not_exist(self):
        known = {"report": "  -w, --where EXPR\n", "nosuch": None}
        lines = ["    tailcap report x.tcap -w 'a --b' --top 3", "`tailcap nosuch`", "tailcap report --elsewhere"]
        self.assertEqual(
            list(self.manual.wrong_options(lines, {}, known)),
            [(1, "tailcap report has no --top"), (2, "no command: tailcap nosuch")],
        )

    def test_a_link_that_leads_nowhere(self):
        lines = ["[a](README.md) [b](README.md#nowhere) [c](nosuch.md) [d](https://example.org/x) `[e](nosuch.md)`"]
        self.assertEqual(
            [what for _, what in self.manual.broken_links("docs/x.md", lines)],
            ["no such heading: README.md#nowhere", "no such file: nosuch.md"],
        )

    def test_an_example(self):
        lines = ["```console", "$ echo now", "before", "```", "after"]
        self.assertEqual(
            self.manual.replayed(lines, "/", {"PATH": "/usr/bin:/bin"}),
            ["```console", "$ echo now", "now", "```", "after"],
        )


if __name__ == "__main__":
    unittest.main()
