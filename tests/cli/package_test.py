"""The Debian package: lintian accepts it, and the programs, pages and files in it work from where they are unpacked.
The static programs: they run in a root that holds nothing else, and the image for containers is one.

    package_test.py --build build/release

Builds both, in build/package and build/static; skipped where their tools are missing.
"""
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
import unittest

import case

TOOLS = ("dpkg-deb", "dpkg-shlibdeps", "lintian")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]


def output(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **options).stdout


@unittest.skipIf(MISSING, f"no {', '.join(MISSING)}: scripts/install-packages package")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # lintian's complaints, errors and warnings, fail the script.
        done = subprocess.run([case.ROOT / "scripts/package"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.deb = case.ROOT / done.stdout.strip().splitlines()[-1]
        folder = tempfile.TemporaryDirectory(prefix="tailcap-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        subprocess.run(["dpkg-deb", "-x", cls.deb, cls.root], check=True)

    def field(self, name):
        return output("dpkg-deb", "-f", self.deb, name).strip()

    def test_depends_on_what_the_programs_are_linked_to(self):
        depends = set(re.findall(r"(?:^|, )([a-z0-9.+-]+)", self.field("Depends")))
        for program in ("tailcap", "tailcap-record"):
            for library in re.findall(
                r"\(NEEDED\).*\[(.+)\]", output("readelf", "-d", self.root / "usr/bin" / program)
            ):
                path = re.search(rf"{re.escape(library)} => (\S+)", output("ldd", self.root / "usr/bin" / program))[1]
                owner = subprocess.run(
                    ["dpkg", "-S", os.path.realpath(path)], capture_output=True, text=True, check=False
                ).stdout.split(":")[0]
                # A library may stand for another package with the same files (t64, compatible versions).
                self.assertTrue(
                    any(d.startswith(owner.rstrip("0123456789")) for d in depends), (library, owner, depends)
                )

    def test_programs_are_stripped_and_hardened_and_name_no_folder_of_the_build(self):
        for program in ("tailcap", "tailcap-record"):
            path = self.root / "usr/bin" / program
            self.assertNotIn(".symtab", output("readelf", "-S", "-W", path))
            self.assertIn("BIND_NOW", output("readelf", "-d", path))
            content = path.read_bytes()
            self.assertNotIn(str(case.ROOT).encode(), content)
            self.assertNotIn(
                os.path.expanduser("~/").encode() if os.path.expanduser("~") != "/" else b"/build/package", content
            )

    def test_programs_run(self):
        tailcap = self.root / "usr/bin/tailcap"
        self.assertEqual(output(tailcap, "--version"), "tailcap " + self.field("Version").split("-")[0] + "\n")
        self.assertEqual(output(self.root / "usr/bin/tailcap-record", "--version").split()[0], "tailcap-record")
        self.assertIn("--duration", output(tailcap, "record", "--help"))  # finds the recorder beside it
        sample = case.SAMPLES / "lock-contention"
        report = output(
            tailcap, "report", "lock-contention.tcap", cwd=sample, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        )
        self.assertIn("waiting for a lock at", report)
        rows = output(
            tailcap,
            "query",
            "lock-contention.tcap",
            "SELECT count(*) AS n FROM request WHERE role = 'server'",
            "--json",
            cwd=sample,
        )
        self.assertEqual(json.loads(rows), {"n": 800})

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_pages_are_compressed_and_readable(self):
        pages = sorted((self.root / "usr/share/man/man1").iterdir())
        self.assertTrue(pages)
        for page in pages:
            self.assertEqual(page.suffix, ".gz")
        text = output(
            "man",
            "-l",
            self.root / "usr/share/man/man1/tailcap-query.1.gz",
            env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        )
        self.assertIn("--save", text)

    def test_files(self):
        names = {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
        for name in (
            "share/bash-completion/completions/tailcap",
            "share/zsh/vendor-completions/_tailcap",
            "share/fish/vendor_completions.d/tailcap.fish",
            "share/tailcap/schemas/report.schema.json",
            "share/tailcap/clickhouse/single.sql",
            "share/doc/tailcap/docs/agents.md",
            "share/doc/tailcap/changelog.gz",
            "share/doc/tailcap/changelog.Debian.gz",
            "share/doc/tailcap/copyright",
            "share/doc/tailcap/examples/tailcap-flight.service",
            "share/doc/tailcap/examples/flight.toml",
        ):
            self.assertIn("usr/" + name, names)
        for schema in (self.root / "usr/share/tailcap/schemas").glob("*.json"):
            json.loads(schema.read_text())

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_unit(self):
        unit = self.root / "usr/share/doc/tailcap/examples/tailcap-flight.service"
        text = unit.read_text().replace("/usr/bin/tailcap-record", str(self.root / "usr/bin/tailcap-record"))
        copy = self.root / "tailcap-flight.service"
        copy.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))  # its pages are not in man's path here
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        exposure = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=45", copy],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(exposure.returncode, 0, exposure.stdout[-300:])
        # The options are those that the recorder has.
        said = output(self.root / "usr/bin/tailcap-record", "--help")
        for option in re.findall(r" (--[a-z-]+)", re.search(r"(?m)^ExecStart=(.*)$", text)[1]):
            self.assertIn(option, said)
        with open(unit.with_name("flight.toml"), "rb") as file:
            for option in tomllib.load(file):
                self.assertIn(f"--{option} ", said)


@unittest.skipUnless(
    list(pathlib.Path("/usr/lib").glob("*/libnettle.a")), "no nettle-dev: scripts/install-packages package"
)
class Static(unittest.TestCase):
    MOST = 25 << 20  # bytes of a program

    @classmethod
    def setUpClass(cls):
        done = subprocess.run([case.ROOT / "scripts/package", "--static"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.tarball = case.ROOT / done.stdout.strip().splitlines()[-1]
        (cls.deb,) = cls.tarball.parent.glob("tailcap_*_amd64.deb")
        (cls.rpm,) = cls.tarball.parent.glob("tailcap-*.x86_64.rpm")
        folder = tempfile.TemporaryDirectory(prefix="tailcap-static-")
        cls.addClassCleanup(folder.cleanup)
        with tarfile.open(cls.tarball) as archive:
            archive.extractall(folder.name, filter="data")
        (top,) = pathlib.Path(folder.name).iterdir()
        cls.root = pathlib.Path(folder.name)
        cls.programs = top / "bin"

    def test_programs_need_no_library(self):
        for program in ("tailcap", "tailcap-record"):
            path = self.programs / program
            self.assertLessEqual(path.stat().st_size, self.MOST)
            self.assertNotIn("NEEDED", output("readelf", "-d", path))
            self.assertNotIn("INTERP", output("readelf", "-l", "-W", path))
            self.assertNotIn(str(case.ROOT).encode(), path.read_bytes())

    @unittest.skipUnless(os.geteuid() == 0, "chroot needs root")
    def test_programs_run_where_nothing_else_is(self):
        sample = case.SAMPLES / "lock-contention/lock-contention.tcap"
        shutil.copy(sample, self.root)
        program = "/" + str((self.programs / "tailcap").relative_to(self.root))
        environment = {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8"}
        run = lambda *command: output("chroot", self.root, program, *command, env=environment)
        here = output(case.program(), "report", sample.name, "--full", cwd=sample.parent, env=environment)
        self.assertEqual(run("report", "/" + sample.name, "--full").replace("/" + sample.name, sample.name), here)
        self.assertIn(
            "--duration", output(self.programs / "tailcap", "record", "--help")
        )  # finds the recorder beside it
        (self.root / "tmp").mkdir(exist_ok=True)
        run("pack", "/" + sample.name, "-o", "/bug.zip", "--slowest", "2", "--yes")
        self.assertIn("GET /slow", run("report", "/bug.zip"))

    @unittest.skipUnless(
        os.geteuid() == 0 and os.path.exists("/sys/kernel/btf/vmlinux"), "recording needs root and BTF"
    )
    def test_recorder_runs_where_only_the_kernels_files_are(self):
        for name in ("proc", "sys", "out"):
            (self.root / name).mkdir(exist_ok=True)
        program = "/" + str((self.programs / "tailcap").relative_to(self.root))
        in_root = (
            f'mount --make-rprivate / && mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" && '
            f'exec chroot "$0" {program} record -o /out/c.tcap --force -- "$@"'
        )
        # What it records is a program of the root, too.
        command = [program, "report", "/" + case.SAMPLES.joinpath("lock-contention/lock-contention.tcap").name]
        shutil.copy(case.SAMPLES / "lock-contention/lock-contention.tcap", self.root)
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", in_root, self.root, *command], capture_output=True, text=True, check=False
        )
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)
        info = json.loads(output(self.programs / "tailcap", "info", self.root / "out/c.tcap", "--json"))
        self.assertEqual(info["state"], "complete", info)

    def test_what_it_cannot_send_it_says(self):
        sample = case.SAMPLES / "lock-contention/lock-contention.tcap"
        done = subprocess.run(
            [self.programs / "tailcap", "export", sample, "--endpoint", "http://127.0.0.1:9/v1/traces"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("static build", done.stderr)

    def test_terms_of_what_is_linked(self):
        licences = next(self.root.rglob("licences"))
        self.assertIn("libelf-dev", {p.name for p in licences.iterdir()})

    def files_of(self, *listing):
        """Files by path: what `tar -tv` and `rpm -qlv` print of a package, without folders."""
        lines = [line.split() for line in output(*listing).splitlines()]
        return {"/" + line[-1].lstrip("./"): line[0] for line in lines if line[0][0] == "-"}

    def test_packages_hold_the_same_files_and_need_nothing(self):
        files = self.files_of("dpkg-deb", "-c", self.deb)
        self.assertEqual(self.files_of("rpm", "-qplv", self.rpm), files)
        self.assertEqual(files["/usr/bin/tailcap-record"], "-rwxr-xr-x")
        self.assertIn("/usr/share/doc/tailcap/examples/kubernetes/kubectl-tailcap", files)
        self.assertNotIn("Depends:", output("dpkg-deb", "-I", self.deb, "control"))
        needs = output("rpm", "-qp", "--requires", self.rpm).split("\n")
        self.assertEqual([line for line in needs if line and not line.startswith("rpmlib(")], [])

    @unittest.skipUnless(os.geteuid() == 0, "packages are installed by root")
    def test_packages_install_where_nothing_else_is(self):
        by_rpm, by_dpkg = self.root / "by-rpm", self.root / "by-dpkg"
        output("rpm", "--root", by_rpm, "--initdb")
        output("rpm", "--root", by_rpm, "-i", "--ignoreos", self.rpm)
        for folder in ("info", "updates", "triggers"):
            (by_dpkg / "var/lib/dpkg" / folder).mkdir(parents=True)
        for name in ("status", "available"):
            (by_dpkg / "var/lib/dpkg" / name).touch()
        output("dpkg", "--root", by_dpkg, "--force-not-root", "--log=/dev/null", "-i", self.deb)
        sample = case.SAMPLES / "lock-contention/lock-contention.tcap"
        for root in (by_rpm, by_dpkg):
            shutil.copy(sample, root)
            self.assertIn("GET /slow", output("chroot", root, "/usr/bin/tailcap", "report", "/" + sample.name))
        self.assertIn("tailcap-", output("rpm", "--root", by_rpm, "-qa"))
        self.assertIn("Package: tailcap", (by_dpkg / "var/lib/dpkg/status").read_text())

    def test_the_same_commit_makes_the_same_bytes(self):
        kinds = ("*.deb", "*.rpm", "*.tar.gz")
        digests = lambda: {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for kind in kinds
            for path in self.tarball.parent.glob(kind)
        }
        before = digests()
        self.assertEqual(len(before), 3)
        output(case.ROOT / "scripts/package", "--static")
        self.assertEqual(digests(), before)

    def test_image(self):
        image = self.tarball.parent / "image"

        def blob(descriptor):
            content = (image / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
            self.assertEqual(
                (len(content), "sha256:" + hashlib.sha256(content).hexdigest()),
                (descriptor["size"], descriptor["digest"]),
            )
            return content

        self.assertEqual(json.loads((image / "oci-layout").read_text()), {"imageLayoutVersion": "1.0.0"})
        (manifest,) = json.loads((image / "index.json").read_text())["manifests"]
        manifest = json.loads(blob(manifest))
        config = json.loads(blob(manifest["config"]))
        (layer,) = manifest["layers"]
        content = gzip.decompress(blob(layer))
        self.assertEqual(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(content).hexdigest()])
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = {m.name: m for m in archive.getmembers()}
            self.assertEqual(archive.extractfile("usr/bin/tailcap").read(), (self.programs / "tailcap").read_bytes())
        self.assertEqual(set(members), {"tmp", "usr", "usr/bin", "usr/bin/tailcap", "usr/bin/tailcap-record"})
        self.assertEqual(config["config"]["Entrypoint"], ["/usr/bin/tailcap"])


if __name__ == "__main__":
    case.main()
