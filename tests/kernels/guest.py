"""A kernel booted under QEMU without acceleration, with an initial file system made of release binaries, that runs steps."""
import gzip
import io
import os
import pathlib
import re
import stat
import subprocess
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_MIB = 2048
BOOT_SECONDS = 300  # for a machine that is busy with other things


class InitialFileSystem:
    """A cpio archive in the newc format."""

    def __init__(self):
        self.entries, self.made = [], set()

    def _add(self, path, mode, data=b"", device=(0, 0)):
        name = path.strip("/").encode()
        self.entries.append((name, mode, data, device))
        self.made.add(path)

    def folder(self, path):
        path = str(path)
        if path not in self.made and path != "/":
            self.folder(os.path.dirname(path))
            self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, data, mode=0o755):
        if str(path) not in self.made:
            self.folder(os.path.dirname(str(path)))
            self._add(str(path), stat.S_IFREG | mode, data)

    def program(self, path, root):
        """With the libraries that it needs, at the same paths as in the root: that of this machine or of another one."""
        self.file(path, pathlib.Path(path).read_bytes())
        self._libraries(path, root)

    def _libraries(self, path, root):
        """ldd would have to run the program."""
        told = subprocess.run(["readelf", "-lhd", path], capture_output=True, text=True, check=True).stdout
        folder = "aarch64-linux-gnu" if "AArch64" in told else "x86_64-linux-gnu"
        loader = re.search(r"interpreter: (/\S+)\]", told)
        if loader:
            self.file(loader.group(1), (root / loader.group(1)[1:]).read_bytes())
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", told):
            places = [root / above / folder / name for above in ("lib", "usr/lib")]
            found = next((p for p in places if p.exists()), None)
            if not found:
                raise SystemExit(f"{path} needs {name}, which {root} does not have")
            place = f"/lib/{folder}/{name}"
            if place not in self.made:
                self.file(place, found.read_bytes())
                self._libraries(found, root)

    def device(self, path, major, minor):
        self.folder(os.path.dirname(path))
        self._add(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def write(self, path):
        with gzip.open(path, "wb", compresslevel=1) as out:
            for number, (name, mode, data, device) in enumerate([*self.entries, (b"TRAILER!!!", 0, b"", (0, 0))], 1):
                fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
                head = b"070701" + b"".join(b"%08X" % f for f in fields) + name + b"\0"
                out.write(head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4))


def initial_file_system(path, busybox, programs, steps, machine, root):
    """programs: by the names that guest.sh gives them. steps: (name, seconds, what it does). root: with libraries."""
    system = InitialFileSystem()
    for folder in ("/proc", "/sys", "/dev", "/tmp", "/var/tmp", "/out"):
        system.folder(folder)
    system.device("/dev/console", 5, 1)
    system.file("/bin/busybox", pathlib.Path(busybox).read_bytes())
    system.file("/init", (HERE / "guest.sh").read_bytes())
    for program in programs.values():
        system.program(program, root)
    places = {**programs, "RESULTS": f"/dev/{machine.port}1"}
    system.file("/places", "".join(f"{name}={place}\n" for name, place in places.items()).encode())
    system.file("/steps", "".join(f"{name} {seconds} {what}\n" for name, seconds, what in steps).encode())
    system.write(path)


def boot(machine, qemu, environment, kernel, initial, folder, seconds):
    """Runs to the end of the steps, at most `seconds`. Leaves console.log and a folder for each step that ended."""
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.tar"
    command = [
        *qemu,
        *machine.board,
        "-accel",
        "tcg",
        "-cpu",
        machine.processor,
        "-smp",
        "2",
        "-m",
        str(MEMORY_MIB),
        "-nodefaults",
        "-display",
        "none",
        "-no-reboot",
        "-kernel",
        kernel,
        "-initrd",
        initial,
        "-append",
        f"console={machine.port}0 quiet panic=-1 rdinit=/init",
        "-serial",
        f"file:{folder / 'console.log'}",
        "-serial",
        f"file:{results}",
    ]
    try:
        subprocess.run(
            [str(c) for c in command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            timeout=seconds + BOOT_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        print(f"{folder.name}: stopped after {seconds + BOOT_SECONDS} s; steps that came to their end count")
    with tarfile.open(fileobj=io.BytesIO(results.read_bytes()), ignore_zeros=True) as archive:
        archive.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(folder)
