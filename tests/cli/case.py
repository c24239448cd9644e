"""What the tests of the command line share: which build they test, and how they are started."""
import argparse
import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/e2e"))
import some_tests  # noqa: E402

SAMPLES = ROOT / "samples/captures"
BUILD = ROOT / "build/dev"


def program(name="analyze/tailcap"):
    return BUILD / name


def run(*command, **options):
    return subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, **options
    )


class Case(unittest.TestCase):
    """A test in an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-cli-")
        self.addCleanup(folder.cleanup)
        self.scratch = pathlib.Path(folder.name)

    def tailcap(self, *arguments):
        return run(program(), *arguments, cwd=self.scratch)

    def assert_refused(self, done, code, *words):
        """One complete message on stderr, nothing on stdout."""
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


def of_npm(package, file):
    """A file of the npm package that tests/cli/PACKAGE pins; None where npm cannot fetch it."""
    pinned, folder = pathlib.Path(__file__).parent / package, BUILD / "tests" / package
    if (pinned / "node_modules" / file).exists():
        return pinned / "node_modules" / file
    if not (folder / "node_modules").exists() and shutil.which("npm"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, folder / name)
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                capture_output=True,
                timeout=60,
            )
    found = folder / "node_modules" / file
    return found if found.exists() else None


def main():
    """Runs the tests of the file that was started: --build FOLDER, --every N as of some_tests, and what unittest takes."""
    global BUILD
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", type=pathlib.Path, default=BUILD)
    parser.add_argument("--every", type=int, default=1)
    given, rest = parser.parse_known_args()
    BUILD = given.build.resolve()
    unittest.main(module="__main__", argv=[sys.argv[0], "-v", *rest], testLoader=some_tests.loader(given.every))
