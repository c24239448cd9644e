"""Debian's kernels, busybox and QEMU, fetched with apt and unpacked into a folder; nothing is installed."""
import collections
import pathlib
import re
import subprocess

# kernels: what a kernel is called here, the package that depends on its newest build, and the suite that has it; None: one of
# those that this machine is fed from. qemu: the package, and its program. port: what the kernel calls a serial port.
Machine = collections.namedtuple("Machine", "architecture kernels qemu program board processor port")
MACHINES = {
    "x86-64": Machine(
        "amd64",
        {
            "5.10": ("linux-image-cloud-amd64", "bullseye"),
            "6.1": ("linux-image-cloud-amd64", None),
            "6.12": ("linux-image-6.12-cloud-amd64", None),
            "newest": ("linux-image-cloud-amd64", "trixie-backports"),
        },
        "qemu-system-x86",
        "qemu-system-x86_64",
        [],
        "max",
        "ttyS",
    ),
    "arm64": Machine(
        "arm64",
        {
            "6.1": ("linux-image-cloud-arm64", "bookworm"),
            "6.12": ("linux-image-cloud-arm64", "bookworm-backports"),
            "newest": ("linux-image-cloud-arm64", "trixie-backports"),
        },
        "qemu-system-arm",
        "qemu-system-aarch64",
        ["-machine", "virt"],
        "cortex-a72",
        "ttyAMA",
    ),
}


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def own_architecture():
    return output("dpkg", "--print-architecture").strip()


class Packages:
    def __init__(self, folder, machine):
        self.folder, self.machine = pathlib.Path(folder), machine
        self.folder.mkdir(parents=True, exist_ok=True)
        self.options = {}

    def _lists(self, architecture, *suites):
        """Options with which apt has lists of its own: of these suites and of one architecture."""
        name = "-".join([architecture, *suites])
        if name in self.options:
            return self.options[name]
        lists, sources, status = (
            self.folder / f"lists-{name}",
            self.folder / f"{name}.list",
            self.folder / "no-packages",
        )
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        told = output("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages")
        site = next(line.removesuffix(" bookworm") for line in told.splitlines() if line.endswith(" bookworm"))
        sources.write_text("".join(f"deb [arch={architecture}] {site} {suite} main\n" for suite in suites))
        status.touch()
        options = [
            f"-oDir::Etc::SourceList={sources.resolve()}",
            "-oDir::Etc::SourceParts=/dev/null",
            f"-oDir::State::Lists={lists.resolve()}",
            "-oDir::Cache::pkgcache=",
            "-oDir::Cache::srcpkgcache=",
            "-oAPT::Sandbox::User=root",
        ]
        if architecture != own_architecture():
            options += [
                f"-oAPT::Architecture={architecture}",
                f"-oAPT::Architectures::={architecture}",
                f"-oDir::State::status={status.resolve()}",
            ]
        output("apt-get", "update", "-q", *options)
        self.options[name] = options
        return options

    def _options(self, suite):
        if not suite and self.machine.architecture != own_architecture():
            suite = "bookworm"
        return self._lists(self.machine.architecture, suite) if suite else ["-oAPT::Sandbox::User=root"]

    def unpacked(self, package, suite=None):
        """The folder with a package's files."""
        own = self.machine.architecture == own_architecture()
        root = self.folder / (package if own else f"{package}-{self.machine.architecture}")
        if not root.exists():
            output("apt-get", *self._options(suite), "download", "-q", package, cwd=self.folder)
            files = sorted(self.folder.glob(f"{package}_*_{self.machine.architecture}.deb"))
            unpacking = root.parent / f"{root.name}.new"
            output("dpkg", "-x", files[-1], unpacking)
            unpacking.rename(root)
        return root

    def kernel(self, name):
        """Where the image of the kernel is, and its release."""
        package, suite = self.machine.kernels[name]
        found = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", *self._options(suite), "depends", package))
        if not found:
            raise SystemExit(f"apt knows no {package}: `apt-get update` first")
        # newer ones have it in a package of its own
        for holder in (found.group(1), found.group(1).replace("linux-image-", "linux-binary-")):
            for image in (self.unpacked(holder, suite)).glob("**/vmlinuz*"):
                return image, found.group(1).removeprefix("linux-image-")
        raise SystemExit(f"{package} has no image of a kernel")

    def qemu(self):
        """Command and environment. QEMU 10 of bookworm-backports, in lists of its own; QEMU 7 does not boot 6.12."""
        root = self.folder / self.machine.qemu
        if not root.exists():
            archives = self.folder / f"archives-{self.machine.qemu}"
            (archives / "partial").mkdir(parents=True, exist_ok=True)
            options = [
                *self._lists(own_architecture(), "bookworm", "bookworm-backports"),
                f"-oDir::Cache::Archives={archives.resolve()}",
            ]
            install = ["install", "-y", "-q", "--no-install-recommends", "--download-only", "-t", "bookworm-backports"]
            output("apt-get", *install, *options, self.machine.qemu)
            unpacking = root.parent / f"{root.name}.new"
            for package in archives.glob("*.deb"):
                output("dpkg", "-x", package, unpacking)
            unpacking.rename(root)
        libraries = ":".join(str((root / p / "x86_64-linux-gnu").resolve()) for p in ("usr/lib", "lib"))
        data = [str((root / "usr/share" / p).resolve()) for p in ("qemu", "seabios")]
        return [str(root / "usr/bin" / self.machine.program), *(word for d in data for word in ("-L", d))], {
            "LD_LIBRARY_PATH": libraries
        }
