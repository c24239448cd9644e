"""scripts/quickstart, as a newcomer runs it: the report names the fault that it plants, and its last line is the page."""
import os
import pathlib
import re
import subprocess

import harness
from harness import Case

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Quickstart(Case):
    def test_it_names_its_fault(self):
        if harness.BUILD.resolve() != ROOT / "build/release":
            self.skipTest("it uses build/release")
        for _ in range(3):
            done = subprocess.run(
                [ROOT / "scripts/quickstart"],
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=180,
                env={**os.environ, "TAILCAP_QUICKSTART_SECONDS": "6"},
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            answers = re.split(r" \d (?:SEVERE|notable|note) ", " ".join(done.stdout.split()))[1:]
            self.assertTrue(answers, done.stdout)
            if not answers[0].startswith("The machine was short of CPU"):  # which may hide what else was slow
                break
        self.assertTrue(
            any(
                re.search(
                    r"^GET /cart/\{\}: .*waiting for a lock (?:at )?\S+ held by POST /restock, which was (?:sleeping|…)",
                    a,
                )
                for a in answers[:2]
            ),
            done.stdout,
        )
        page = pathlib.Path(done.stderr.strip().split("\n")[-1])
        self.assertTrue(page.read_text().startswith("<!doctype html>"), page)


if __name__ == "__main__":
    harness.main()
