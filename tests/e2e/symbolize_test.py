"""Inlined functions and executed lines: while recording, and from debug files that are given later."""
import collections
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import unittest

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
RATE = 499
SECONDS = 1  # of CPU time; in Rust, of time


def build_id(program):
    notes = subprocess.run(["readelf", "-n", program], check=True, capture_output=True, text=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)


class Symbolize(Case):
    BY_OTHER_NAMES = True

    def build(self, *command, name="hot"):
        program = self.scratch / name
        subprocess.run([*command, "-o", program], check=True, cwd=self.scratch)
        return program

    def run_whole(self, program, name):
        command = ["sh", "-c", f"exec {program} {SECONDS} > /dev/null"]
        recording = harness.Recording(self.scratch / name, ["--sample", str(RATE), "--", *command])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        return recording.file

    def samples(self, file):
        samples = [s for s in json_lines(self.tailcap("events", file, "--json", "--kind", "sample"))]
        # The others were walked by frame pointers alone, before the process had its tables.
        samples = [s for s in samples if s["why"] == "on_cpu" and s["end"] == "start"]
        self.assertGreater(len(samples), 25)
        for sample in samples:
            frames = len(sample["user"].split(";"))
            for what in ("lines", "places"):
                self.assertIn(len(sample[what].split(";")), (1, frames), sample)
        return samples

    def share(self, samples, wanted):
        """The share of the samples that end with these frames, each with one of the given lines."""
        fits = 0
        for sample in samples:
            frames, lines = sample["user"].split(";"), sample["lines"].split(";")
            got = list(zip(frames, lines))[-len(wanted) :] if len(lines) == len(frames) else []
            fits += len(got) == len(wanted) and all(f == name and l in at for (f, l), (name, at) in zip(got, wanted))
        return fits / len(samples)

    def check(self, samples, wanted, least=0.9):
        share = self.share(samples, wanted)
        print(f"  {share:.1%} of {len(samples)} samples have the functions and lines")
        common = collections.Counter((s["user"], s["lines"]) for s in samples).most_common(2)
        self.assertGreaterEqual(share, least, common)

    OF_C = [
        ("serve", {"hot_lines.c:22"}),
        ("render", {"hot_lines.c:13"}),
        ("mix (inlined)", {"hot_lines.c:9"}),
    ]

    def of_cpp(self, render):
        return [
            ("main", {"hot_lines.cc:27"}),
            (render, {"hot_lines.cc:17"}),
            ("void shop::mix<unsigned long>(unsigned long) (inlined)", {"hot_lines.cc:12"}),
        ]

    def test_lines_of_c(self):
        program = self.build("cc", "-O2", "-g", HERE / "hot_lines.c")
        self.check(self.samples(self.run_whole(program, "c.tcap")), self.OF_C)

    def test_lines_in_flame_graphs_and_exports(self):
        program = self.build("cc", "-O2", "-g", HERE / "hot_lines.c")
        file = self.run_whole(program, "c.tcap")
        whole = "serve at hot_lines.c:22;render at hot_lines.c:13;mix (inlined) at hot_lines.c:9"
        self.assertIn(whole, self.tailcap("flame", file, "--format", "folded", "--lines"))
        self.assertIn("serve;render;mix (inlined)", self.tailcap("flame", file, "--format", "folded"))
        out = self.scratch / "out.speedscope.json"
        self.tailcap("export", file, "--format", "speedscope", "-o", out)
        frames = json.loads(out.read_text())["shared"]["frames"]
        for frame in (
            {"name": "mix (inlined)", "file": "hot_lines.c", "line": 9},
            {"name": "render", "file": "hot_lines.c", "line": 13},
        ):
            self.assertIn(frame, frames)
        if not shutil.which("go"):
            return
        out = self.scratch / "out.pb.gz"
        self.tailcap("export", file, "--format", "pprof", "-o", out)
        raw = subprocess.run(["go", "tool", "pprof", "-raw", out], check=True, capture_output=True, text=True).stdout
        self.assertRegex(raw, r"mix \(inlined\) hot_lines.c:9\b")
        self.assertRegex(raw, r"render hot_lines.c:13\b")

    def test_compressed_and_older_debug_information(self):
        program = self.build("cc", "-O2", "-gdwarf-4", "-gz", HERE / "hot_lines.c")
        self.check(self.samples(self.run_whole(program, "c.tcap")), self.OF_C)

    def test_lines_of_cpp(self):
        program = self.build("g++", "-std=c++20", "-O2", "-g", "-fno-ipa-sra", HERE / "hot_lines.cc")
        samples = self.samples(self.run_whole(program, "cpp.tcap"))
        self.check(samples, self.of_cpp("shop::Cart::render(unsigned long)"))

    @unittest.skipUnless(shutil.which("clang++"), "clang++ is missing")
    def test_lines_of_clang(self):
        program = self.build("clang++", "-std=c++20", "-O2", "-g", HERE / "hot_lines.cc")
        samples = self.samples(self.run_whole(program, "clang.tcap"))
        self.check(samples, self.of_cpp("shop::Cart::render(unsigned long)"))

    @unittest.skipUnless(shutil.which("rustc"), "rustc is missing")
    def test_lines_of_rust(self):
        # Names by the way of mangling that this compiler prefers, and by the newer one.
        of_type = "<hot_lines::shop::Cart<{}> as hot_lines::shop::Page>::render"
        renders = {of_type.format("[u8  2]"), of_type.format("T")}
        for mangling, options in (("own", []), ("v0", ["-C", "symbol-mangling-version=v0"])):
            program = self.build("rustc", "-O", "-g", *options, HERE / "hot_lines.rs", name=mangling)
            samples = self.samples(self.run_whole(program, f"{mangling}.tcap"))
            fits = 0
            for sample in samples:
                frames, lines = sample["user"].split(";"), sample["lines"].split(";")
                at = [i for i, f in enumerate(frames) if f == "hot_lines::shop::mix (inlined)"]
                (main, main_at), (render, render_at) = (
                    list(zip(frames, lines))[at[0] - 2 : at[0]] if at else [("", "")] * 2
                )
                fits += (main, main_at, render_at) == ("hot_lines::main", "hot_lines.rs:34", "hot_lines.rs:22") and (
                    render in (renders if mangling == "own" else {of_type.format("[u8  2]")})
                )
            print(f"  {mangling}: {fits} of {len(samples)}")
            self.assertGreaterEqual(fits / len(samples), 0.9, samples[-1])

    def stripped(self):
        """A program without names, and what was taken from it."""
        program = self.build("cc", "-O2", "-g", HERE / "hot_lines.c", name="whole")
        debug = self.scratch / "whole.debug"
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
        shop = self.scratch / "shop"
        subprocess.run(["strip", "-o", shop, program], check=True)
        return shop, debug

    def test_names_are_added_later(self):
        shop, debug = self.stripped()
        number = build_id(shop)
        self.assertEqual(build_id(debug), number)
        file = self.run_whole(shop, "stripped.tcap")
        for sample in self.samples(file):
            self.assertFalse({"mix (inlined)", "render", "serve", "main"} & set(sample["user"].split(";")), sample)
        before = hashlib.sha256(file.read_bytes()).hexdigest()
        layouts = {
            "by-id": f".build-id/{number[:2]}/{number[2:]}.debug",
            "package": f"usr/lib/debug/.build-id/{number[:2]}/{number[2:]}.debug",
            "debuginfod": f"{number}/debuginfo",
            "by-name": "shop.debug",
            "by-own-name": "shop",
        }
        for layout, path in layouts.items():
            place = self.scratch / layout / path
            place.parent.mkdir(parents=True)
            shutil.copy(debug, place)
            out = self.scratch / f"{layout}.tcap"
            said = self.tailcap("symbolize", file, "--debug", self.scratch / layout, "-o", out)
            self.assertRegex(said, r"of \d+ frames without a line, [1-9]\d* have another name, [1-9]\d* have a line")
            self.check(self.samples(out), self.OF_C)
            self.tailcap("check", out)
            self.assertIn("render;mix (inlined)", self.tailcap("flame", out, "--format", "folded"))
        self.assertEqual(hashlib.sha256(file.read_bytes()).hexdigest(), before)
        # All that is not a name stays.
        strip = lambda s: {k: v for k, v in s.items() if k not in ("user", "lines", "places", "build_ids", "files")}
        self.assertEqual([strip(s) for s in self.samples(file)], [strip(s) for s in self.samples(out)])

    def test_what_is_not_found_is_said(self):
        shop, debug = self.stripped()
        file = self.run_whole(shop, "stripped.tcap")
        empty = self.scratch / "empty"
        empty.mkdir()
        said = self.tailcap("symbolize", file, "--debug", empty, code=4)
        self.assertIn(f"{build_id(shop)} shop, ", said)
        self.assertFalse((self.scratch / "stripped.named.tcap").exists())
        self.assertFalse((self.scratch / "stripped.named.tcap.partial").exists())
        # A file of that name that is another program, and one that is damaged.
        other = self.build("cc", "-O1", "-g", HERE / "hot_lines.c", name="empty/shop")
        self.assertNotEqual(build_id(other), build_id(shop))
        self.tailcap("symbolize", file, "--debug", empty, code=4)
        cut = self.scratch / "cut"
        cut.mkdir()
        (cut / "shop.debug").write_bytes(debug.read_bytes()[: debug.stat().st_size // 2])
        self.tailcap("symbolize", file, "--debug", cut, code=4)

    def test_redacted_captures(self):
        shop, debug = self.stripped()
        file = self.run_whole(shop, "stripped.tcap")
        strict = self.scratch / "strict.tcap"
        self.tailcap("redact", file, strict, "--level", "strict")
        text = self.tailcap("events", strict, "--json", "--kind", "sample")
        self.assertNotIn(build_id(shop), text)
        for sample in json_lines(text):
            self.assertEqual((sample["places"], sample["files"]), ("", ""))
        self.tailcap("symbolize", strict, "--debug", self.scratch, code=1)


if __name__ == "__main__":
    harness.main()
