"""Files that targets put in the recorder's way: it probes what it has read, keeps its memory, goes on and ends in time."""
import contextlib
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import threading
import time

import harness
from harness import Case, Recording, free_port, json_lines, wait_until
from hostile_elf import (
    HEADERS,
    PT_NOTE,
    SHF_ALLOC,
    SHF_COMPRESSED,
    SHF_EXECINSTR,
    SHT_DYNSYM,
    SHT_PROGBITS,
    SHT_RELA,
    SHT_STRTAB,
    SHT_SYMTAB,
    Library,
    add_sections,
    inflates_to,
)
from silent_files import SilentFiles

NOBODY = 65534
CODE = b"\x55\x48\x89\xe5\x5d\xc3"  # push %rbp; mov %rsp, %rbp; pop %rbp; ret: places that a probe likes
LIMIT = b"\xb8\x01\x33\x22\x11\xc3"  # what limit() of hostile_files.c is
PAGE = 4096
MOST_MEMORY = 256 << 20
LATEST_END = 1.0


def memory_of_recorder(pid):
    """Bytes of the recorder and of all processes that work for it; what they share is counted once."""
    total, left = 0, [str(pid)]
    while left:
        folder = pathlib.Path("/proc", left.pop())
        with contextlib.suppress(OSError):  # it has ended
            total += sum(
                int(l.split()[1]) << 10
                for l in (folder / "smaps_rollup").read_text().splitlines()
                if l.startswith("Pss:")
            )
            left += [child for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()]
    return total


class Hostile(Case):
    def helper(self, *arguments, said=None, **options):
        process = self.start(
            [harness.BUILD / "tests/e2e/hostile-files", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            **options,
        )
        self.addCleanup(process.stdout.close)
        if said:
            self.assertTrue(process.stdout.readline().startswith(said))
        return process

    def folder_of_nobody(self):
        folder = self.scratch / "nobody"
        folder.mkdir(exist_ok=True)
        os.chown(folder, NOBODY, NOBODY)
        return folder

    def probes(self, recording, path, taken=True):
        facts = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "probe", code=(0, 3)))
        return [f for f in facts if f["path"].endswith(path) and (f["price"] > 0) == taken]


class Swap(Hostile):
    """An unprivileged process that is recorded has a probe written into a program that is not."""

    def swap(self, how):
        folder = self.folder_of_nobody()
        victim_program = self.scratch / "victim"
        shutil.copy(harness.BUILD / "tests/e2e/hostile-files", victim_program)
        at = victim_program.read_bytes().index(LIMIT) + 1
        crafted, other = folder / "libssl.so.3", victim_program
        library = Library()
        library.put(at, CODE)
        functions = {"SSL_free": (at, len(CODE)), "SSL_shutdown": (at, len(CODE)), "SSL_do_handshake": (at, len(CODE))}
        library.functions(functions, HEADERS)
        library.section(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, at, len(CODE))
        # Four million empty symbols: reading takes long enough for the swap.
        end = (max(at + len(CODE), victim_program.stat().st_size) + PAGE) // PAGE * PAGE
        library.section(".symtab", SHT_SYMTAB, 0, end, 24 << 22, library.section(".strtab", SHT_STRTAB, 0, HEADERS, 64))
        library.write(crafted, end + (24 << 22))
        os.chown(crafted, NOBODY, NOBODY)
        if how == "rename":
            other = folder / "other"
            os.link(victim_program, other)
        with open(self.scratch / "victim.log", "w") as log:
            victim = self.start([victim_program, "victim"], stdout=log)
        attacker = self.helper("swap", how, crafted, other, said="mapped", user=NOBODY, group=NOBODY, extra_groups=[])
        with self.record("-p", attacker.pid) as recording:
            self.assertEqual(attacker.stdout.readline(), "swapped\n", "nobody opened the file")
            time.sleep(1.5)
            self.assertIsNone(victim.poll())
        seen = set((self.scratch / "victim.log").read_text().split())
        self.assertEqual(seen, {"11223301"}, "code of a process that is not recorded was changed")
        self.assertEqual(self.probes(recording, victim_program.name), [])
        return recording

    def test_by_symbolic_link(self):
        self.swap("symlink")

    def test_by_renaming(self):
        self.swap("rename")

    def test_by_mapping_another_file(self):
        self.swap("remap")

    def test_by_writing(self):
        self.swap("rewrite")


class Service(Hostile):
    """Beside a service under load, all of whose requests are recorded."""

    def beside(self, *targets, record=(), told=None, seconds=3.0, code=0):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        recording = Recording(
            self.scratch / f"capture-{service.pid}.tcap",
            ["-p", service.pid, *[a for t in targets for a in ("-p", t.pid)], *record],
        )
        self.addCleanup(self.abandon, recording)
        most = 0
        start = time.monotonic()
        while not recording.ready():
            most = max(most, memory_of_recorder(recording.process.pid))
            self.assertIsNone(recording.process.poll(), recording.said)
            self.assertLess(time.monotonic() - start, 15, "it did not begin")
            time.sleep(0.05)
        load = subprocess.Popen(
            self.load_command(f"http://127.0.0.1:{port}", "-c", "4", "-n", "499", "--rate", "400"),
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + seconds
        while load.poll() is None or time.monotonic() < until:
            most = max(most, memory_of_recorder(recording.process.pid))
            time.sleep(0.05)
        self.assertEqual(load.returncode, 0)
        time.sleep(0.3)
        start = time.monotonic()
        recording.stop()
        took = time.monotonic() - start
        self.assertEqual(recording.code, code, recording.said)
        self.assertLess(took, LATEST_END, recording.said)
        self.assertLess(most, MOST_MEMORY, f"{most >> 20} MiB")
        if code == 0:
            self.assert_whole(recording)
        self.assert_same(
            json_lines((self.scratch / "load.jsonl").read_text()), self.requests(recording, code=code or (0, 4))
        )
        if told:
            self.assertIn(told, recording.said)
        print(f"{self.id()}: {most >> 20} MiB, ended in {took:.2f} s", flush=True)
        return recording

    def library(self, make, size, name="libssl.so.9"):
        path = self.folder_of_nobody() / name
        library = Library()
        library.functions({n: (HEADERS, len(CODE)) for n in ("SSL_read", "SSL_write", "SSL_free")}, PAGE)
        library.put(HEADERS, CODE)
        make(library)
        library.write(path, size)
        return path

    def mapped(self, path):
        return self.helper("map", path, said="mapped", user=NOBODY, group=NOBODY, extra_groups=[])

    def test_nothing_hostile(self):
        """The measure for the others, and that what is made by hand is probed at all."""
        path = self.library(lambda library: None, 4 * PAGE)
        recording = self.beside(self.mapped(path))
        self.assertIn("SSL_free", {p["function"] for p in self.probes(recording, path.name)})

    def test_no_probe(self):
        path = self.library(lambda library: None, 4 * PAGE)
        recording = self.beside(self.mapped(path), record=["--no-probe", path], told="--no-probe")
        self.assertEqual(self.probes(recording, path.name), [])
        self.assertNotEqual(self.probes(recording, path.name, taken=False), [])

    def test_fifo_in_place_of_the_executable(self):
        folder = self.folder_of_nobody()
        program = folder / "program"
        shutil.copy(harness.BUILD / "tests/e2e/hostile-files", program)
        process = self.start([program, "map", "/bin/true"], stdout=subprocess.DEVNULL)
        program.unlink()
        os.mkfifo(program)
        self.beside(process)

    def test_fifo_in_place_of_a_library(self):
        path = self.library(lambda library: None, 4 * PAGE)
        process = self.mapped(path)
        path.unlink()
        os.mkfifo(path)
        self.beside(process)

    def test_a_note_of_three_gibibytes(self):
        def make(library):
            for _ in range(20):
                library.segments.append((PT_NOTE, 2 * PAGE, 3 << 30))

        self.beside(self.mapped(self.library(make, (3 << 30) + 4 * PAGE)))

    def stubs(self, sections):
        size = 4 << 20
        strings, symbols, slots, stubs = PAGE * 4, PAGE * 8, PAGE * 9, PAGE * 16

        def make(library):
            library.sections.clear()
            name = b"a" * 4000
            library.put(strings, b"\0" + name + b"\0SSL_read\0")
            text = library.section(".dynstr", SHT_STRTAB, SHF_ALLOC, strings, 4200)
            library.put(
                symbols,
                b"\0" * 24
                + struct.pack("<IBBHQQ", 1, 0x12, 0, 0, 0, 0)
                + struct.pack("<IBBHQQ", 4002, 0x12, 0, 1, HEADERS, len(CODE)),
            )
            library.section(".dynsym", SHT_DYNSYM, SHF_ALLOC, symbols, 72, text)
            slot = 0x100000
            library.put(slots, struct.pack("<QQq", slot, 1 << 32 | 7, 0))
            library.section(".rela.plt", SHT_RELA, SHF_ALLOC, slots, 24)
            code = b"".join(
                b"\xff\x25" + struct.pack("<i", slot - (stubs + at + 6)) + b"\x90\x90" for at in range(0, size, 8)
            )
            library.put(stubs, code)
            for i in range(sections):
                library.section(f".plt{i}", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, stubs, size)

        return self.library(make, stubs + size)

    def test_four_megabytes_of_stubs(self):
        self.beside(self.mapped(self.stubs(1)))

    def test_stubs_in_many_sections_of_the_same_bytes(self):
        self.beside(self.mapped(self.stubs(64)))

    def test_relocations_in_thousands_of_sections_of_the_same_bytes(self):
        size = 8 << 20

        def make(library):
            library.put(PAGE * 16, struct.pack("<QQq", 0x2000, 1 << 32 | 7, 0) * (size // 24))
            for _ in range(20000):
                library.section(".rela", SHT_RELA, SHF_ALLOC, PAGE * 16, size)

        self.beside(self.mapped(self.library(make, PAGE * 16 + size)), record=["--sample", "99"])

    def test_symbols_in_thousands_of_sections_of_the_same_bytes(self):
        def make(library):
            strings = library.section(".strtab", SHT_STRTAB, 0, PAGE * 16, 512 << 20)
            for _ in range(20000):
                library.section(".symtab", SHT_SYMTAB, 0, PAGE, 24 * 4096, strings)

        self.beside(self.mapped(self.library(make, PAGE * 16 + (512 << 20))), record=["--sample", "99"])

    def test_debugging_information_that_inflates(self):
        source, honest, program = (self.scratch / name for name in ("sleeper.go", "honest", "bomb"))
        source.write_text('package main\n\nimport "time"\n\nfunc main() { time.Sleep(time.Hour) }\n')
        subprocess.run(
            ["go", "build", "-o", honest, source], check=True, timeout=200, env={**os.environ, "GO111MODULE": "off"}
        )
        zeros = inflates_to(300 << 20)
        add_sections(
            honest, program, [(name, SHF_COMPRESSED, zeros) for name in (".debug_str", ".debug_types", ".debug_macro")]
        )
        self.assertLess(program.stat().st_size, honest.stat().st_size + (2 << 20))
        for path in (honest, program):
            with self.subTest(path.name):
                recording = self.beside(self.start([path]))
                told = [
                    e
                    for e in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "go_program"))
                    if e["path"].endswith(path.name)
                ]
                self.assertEqual({e["offsets_from"] for e in told}, {"DWARF" if path == honest else "table"})

    def test_sixty_thousand_mappings(self):
        path = self.library(lambda library: None, 4 * PAGE)
        process = self.helper("many", path, "60000", said="mapped 6")
        self.beside(process, record=["--sample", "99"], seconds=12)  # with a keyframe

    def test_a_file_system_that_does_not_answer(self):
        folder = self.scratch / "silent"
        folder.mkdir()
        content = self.library(lambda library: None, 4 * PAGE).read_bytes()
        files = SilentFiles(folder, "libssl.so.3", content)
        self.addCleanup(files.end)
        process = self.helper("map", folder / "libssl.so.3", said="mapped")
        self.addCleanup(process.kill)
        files.silent.set()
        self.beside(process, told="it does not answer", code=3)  # what it calls there is lost
        self.assertGreater(files.unanswered, 0)

    def silent_files(self, name, content):
        folder = self.scratch / f"silent-{len(list(self.scratch.iterdir()))}"
        folder.mkdir()
        files = SilentFiles(folder, name, content)
        self.addCleanup(files.end)
        return folder / name, files

    def test_a_process_that_keeps_the_lock_of_its_memory(self):
        path, files = self.silent_files("data", bytes(4 * PAGE))
        process = self.helper("lock", path, said="mapped", stdin=subprocess.PIPE)
        self.addCleanup(files.end)  # before the process is waited for, which cannot end without that
        files.silent.set()
        process.stdin.write("\n")
        process.stdin.close()
        self.assertEqual(process.stdout.readline(), "locked\n")
        who = threading.Thread(target=lambda: pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes(), daemon=True)
        who.start()
        who.join(0.5)
        self.assertTrue(who.is_alive(), "its arguments can be read, so this shows nothing")
        for more in ([], ["--sample", "99"]):
            with self.subTest(more):
                recording = self.beside(process, record=more, seconds=4, told="does not answer", code=3)
                infos = [
                    e
                    for e in json_lines(
                        self.tailcap("events", recording.file, "--json", "--kind", "task_info", code=(0, 3))
                    )
                    if e["pid"] == process.pid
                ]
                self.assertIn("hostile-files", [e["comm"] for e in infos])
                self.assertIn(str(harness.BUILD / "tests/e2e/hostile-files"), [e["executable"] for e in infos])

    def test_a_process_whose_files_do_not_answer_costs_others_nothing(self):
        """Many files of many mounts; then a library of another process, which is mapped while they keep the recorder busy."""
        silent = [
            self.silent_files(f"libssl.so.{i}", self.library(lambda library: None, 4 * PAGE).read_bytes())
            for i in range(6)
        ]
        attacker = self.helper("map", *[path for path, _ in silent], said="mapped")
        for _, files in silent:
            self.addCleanup(files.end)
            files.silent.set()
        honest = self.library(lambda library: None, 4 * PAGE, "libssl.so.77")
        recording = self.beside(attacker, self.mapped(honest), told="do not answer", seconds=10, code=3)
        self.assertIn("SSL_free", {p["function"] for p in self.probes(recording, honest.name)})
        self.assertIn("tls_receive: calls in files that could not be looked at, at least", recording.said)


class AtTheBeginning(Hostile):
    def test_a_signal_while_it_waits_for_a_file(self):
        """Before anything is recorded: the file system of the process that was chosen is silent already."""
        folder = self.scratch / "silent"
        folder.mkdir()
        program = (harness.BUILD / "tests/e2e/hostile-files").read_bytes()
        files = SilentFiles(folder, "program", program)
        self.addCleanup(files.end)
        process = self.start([folder / "program", "map", "/bin/true"], stdout=subprocess.DEVNULL)
        wait_until(lambda: os.readlink(f"/proc/{process.pid}/exe") == str(folder / "program"), "the program")
        time.sleep(0.3)
        files.silent.set()
        recording = Recording(self.scratch / "capture.tcap", ["-p", process.pid])
        self.addCleanup(self.abandon, recording)
        wait_until(lambda: recording.partial.exists(), "the file")
        start = time.monotonic()
        recording.process.send_signal(signal.SIGTERM)
        recording.wait_end()
        self.assertLess(time.monotonic() - start, LATEST_END, recording.said)
        self.assertIn(recording.code, (0, 128 + signal.SIGTERM), recording.said)  # 0: it recorded already


class Everybody(Hostile):
    def test_the_recorders_own_processes_are_not_recorded(self):
        with self.record("-a") as recording:
            # Other recorders may be at work on this machine.
            children = (
                pathlib.Path(f"/proc/{recording.process.pid}/task/{recording.process.pid}/children").read_text().split()
            )
            own = {int(c) for c in children if pathlib.Path(f"/proc/{c}/comm").read_text().startswith("tailcap-")}
            for i in range(5):  # files are opened and read
                self.start([shutil.copy("/bin/sleep", self.scratch / f"sleep-{i}"), "0.3"])
                time.sleep(0.3)
        self.assertEqual(len(own), 2)
        events = json_lines(self.tailcap("events", recording.file, "--json"))
        self.assertTrue(any(e.get("executable", "").endswith("/sleep-4") for e in events))
        self.assertEqual([e for e in events if e["pid"] in own or e.get("parent_pid") in own], [])


if __name__ == "__main__":
    harness.main()
