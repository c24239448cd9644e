"""Debian's kernels, busybox and QEMU, fetched with apt and unpacked into a folder; nothing is installed."""
import pathlib
import re
import subprocess

# What a kernel is called here, and the package that depends on its newest build.
KERNELS = {"6.1": "linux-image-cloud-amd64", "6.12": "linux-image-6.12-cloud-amd64"}


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def newest_image(package):
    found = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", "depends", package))
    if not found:
        raise SystemExit(f"apt knows no {package}: `apt-get update` first")
    return found.group(1)


class Packages:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def unpacked(self, package):
        """The folder with a package's files."""
        root = self.folder / package
        if not root.exists():
            output("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package, cwd=self.folder)
            files = sorted(self.folder.glob(f"{package}_*.deb"))
            output("dpkg", "-x", files[-1], root.with_suffix(".new"))
            root.with_suffix(".new").rename(root)
        return root

    def kernel(self, name):
        """Where the image of the kernel is, and its release."""
        image = next((self.unpacked(newest_image(KERNELS[name])) / "boot").glob("vmlinuz-*"))
        return image, image.name.removeprefix("vmlinuz-")

    def qemu(self):
        """Command and environment. QEMU 10 of bookworm-backports, in lists of its own; QEMU 7 does not boot 6.12."""
        root = self.folder / "qemu"
        if not root.exists():
            site = next(
                line.removesuffix(" bookworm")
                for line in output(
                    "apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"
                ).splitlines()
                if line.endswith(" bookworm")
            )
            lists, archives, sources = self.folder / "lists", self.folder / "archives", self.folder / "backports.list"
            for folder in (lists, archives):
                (folder / "partial").mkdir(parents=True, exist_ok=True)
            sources.write_text(f"deb {site} bookworm main\ndeb {site} bookworm-backports main\n")
            options = [
                f"-oDir::Etc::SourceList={sources.resolve()}",
                "-oDir::Etc::SourceParts=/dev/null",
                f"-oDir::State::Lists={lists.resolve()}",
                f"-oDir::Cache::Archives={archives.resolve()}",
                "-oAPT::Sandbox::User=root",
            ]
            output("apt-get", "update", "-q", *options)
            output(
                "apt-get",
                "install",
                "-y",
                "-q",
                "--no-install-recommends",
                "--download-only",
                "-t",
                "bookworm-backports",
                *options,
                "qemu-system-x86",
            )
            for package in archives.glob("*.deb"):
                output("dpkg", "-x", package, root.with_suffix(".new"))
            root.with_suffix(".new").rename(root)
        libraries = ":".join(str((root / p / "x86_64-linux-gnu").resolve()) for p in ("usr/lib", "lib"))
        data = [str((root / "usr/share" / p).resolve()) for p in ("qemu", "seabios")]
        return [str(root / "usr/bin/qemu-system-x86_64"), *(word for d in data for word in ("-L", d))], {
            "LD_LIBRARY_PATH": libraries
        }
