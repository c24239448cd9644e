"""Locks that are variables of a program or a library have names in all answers; those on the heap and on the stack stay addresses."""
import json
import pathlib
import subprocess

import harness
from harness import OneServer, json_lines

HERE = pathlib.Path(__file__).resolve().parent
REQUESTS = 60
NAMES = {
    "/variable": "cart_mutex",
    "/static": "stock+0x8",
    "/member": "shop+0x40",
    "/library": "library_mutex",
    "/heap": None,
    "/stack": None,
}


class LockNames(OneServer):
    BY_OTHER_NAMES = True

    def program(self, *options):
        library, program = self.scratch / "libstock.so", self.scratch / "shop"
        subprocess.run(
            ["gcc", "-O1", "-shared", "-fPIC", "-DLIBRARY", *options, "-o", library, HERE / "lock_names.c"], check=True
        )
        link = [library, f"-Wl,-rpath,{self.scratch}", "-pthread"]
        # Without -fPIC and -no-pie the variable of a library would be copied into the program.
        subprocess.run(["gcc", "-O1", "-fPIC", *options, "-o", program, HERE / "lock_names.c", *link], check=True)
        return program

    def recorded(self, program):
        said = self.scratch / "said"
        server = self.serve("sh", "-c", f"exec {program} $0 > {said}")
        with self.record("-p", server.pid) as recording:
            for path in NAMES:
                self.ask(path, REQUESTS)
        addresses = dict(line.split() for line in said.read_text().splitlines())
        self.assertEqual(set(addresses), set(NAMES))
        return recording, addresses

    def waits(self, recording):
        """By path: what its slow requests waited for, as often as they did."""
        found = {path: [] for path in NAMES}
        for row in self.requests(recording, role="server"):
            for culprit in row["culprits"] or []:
                if culprit["label"] == "lock.futex" and culprit["ns"] >= 20_000_000:
                    found[row["path"]].append(culprit["what"])
        return found

    def test_all_answers(self):
        recording, addresses = self.recorded(self.program())
        for path, whats in self.waits(recording).items():
            self.assertEqual(whats, [NAMES[path] or addresses[path]] * (REQUESTS // 10), path)
        rows = self.tailcap(
            "query",
            recording.file,
            "SELECT DISTINCT path, culprit_lock, culprit_what FROM segment JOIN request USING (request_id)"
            " WHERE label = 'lock.futex' AND segment.dur >= 20000000",
            "--json",
        )
        rows = json_lines(rows)
        self.assertEqual({r["path"]: r["culprit_lock"] for r in rows}, NAMES)
        self.assertEqual({r["path"]: hex(r["culprit_what"]) for r in rows}, addresses)
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        for path, name in NAMES.items():
            tail = next(
                v for v in report["verdicts"] if v["kind"] == "tail" and v["scope"] == "route" and path in v["sentence"]
            )
            place = f"`{name}`" if name else f"at {addresses[path]}"
            self.assertIn(f"waiting for a lock {place}", tail["sentence"])
            shown = " ".join(self.tailcap("show", recording.file, tail["examples"][0]).split())
            self.assertIn(f"waiting for a lock {place}", shown)
            self.assertIn(f"futex {place}", shown)

    def test_stripped(self):
        """An exported variable keeps its name, others lose it."""
        recording, addresses = self.recorded(self.program("-s"))
        for path, whats in self.waits(recording).items():
            name = NAMES[path] if path == "/library" else None
            self.assertEqual(whats, [name or addresses[path]] * (REQUESTS // 10), path)


if __name__ == "__main__":
    harness.main()
