"""Holds what a guest recorded against what its servers and clients logged. One line of findings for each step."""
import collections
import json
import pathlib
import subprocess

WGET_PATH = "/file"
# A segment that completes the handshake and carries data passes no hook: rare, and the record says that its arrival is unknown.
MAY_BE_UNKNOWN = 0.05


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()] if path.exists() else []


def same(field, recorded, told):
    """Values of a query may be masked, by as many characters."""
    if field == "path":
        return recorded is not None and len(recorded) == len(told) and recorded.split("?")[0] == told.split("?")[0]
    return recorded == told


class Judge:
    def __init__(self, build, folder):
        self.tailcap, self.folder = build / "analyze/tailcap", pathlib.Path(folder)

    def _json(self, command, step, *arguments):
        done = subprocess.run(
            [self.tailcap, command, self.folder / step / "capture.tcap", *arguments], capture_output=True, text=True
        )
        if done.returncode not in (0, 3):
            raise ValueError(done.stderr.strip())
        return [json.loads(line) for line in done.stdout.split("\n") if line.strip()]

    def said(self, step):
        """The log of the step without what is only told, and whether it came to its end."""
        folder = self.folder / step
        if not (folder / "code").exists():
            return "did not come to its end", None
        return (folder / "log").read_text(errors="replace").strip(), int((folder / "code").read_text())

    def truth(self, step):
        """(role, id) → fields, of all that was requested and served."""
        folder, expected = self.folder / step, {}
        for role, name in (("client", "load.jsonl"), ("server", "service.jsonl")):
            for t in lines(folder / name):
                if t["id"]:
                    expected[role, t["id"]] = {
                        f: t[f] for f in ("method", "path", "status", "request_bytes", "response_bytes") if f in t
                    }
        wget = folder / "wget"
        for line in wget.read_text().splitlines() if wget.exists() else []:
            name, size = line.split()
            for role in ("client", "server"):
                expected[role, name] = {
                    "method": "GET",
                    "path": WGET_PATH,
                    "status": 200,
                    "request_bytes": 0,
                    "response_bytes": int(size),
                }
        return expected

    def requests(self, step):
        """Findings on a recorded workload, and whether it is exact."""
        expected = self.truth(step)
        wanted, seen, arrived, wrong = len(expected), 0, 0, collections.Counter()
        if not wanted:
            return "the workload did not run", False
        for row in self._json("requests", step, "--json"):
            fields = expected.pop((row["role"], row["x_request_id"]), None)
            taints = [t for t in row["tainted"] if t not in ("arrival_unknown",)]
            if fields is None:
                wrong["invented or twice"] += 1
            elif not row["complete"] or taints:
                wrong["in doubt"] += 1
            elif any(not same(f, row[f], value) for f, value in fields.items()):
                wrong["wrong"] += 1
            else:
                seen += 1
                arrived += "arrival_unknown" not in row["tainted"]
        if expected:
            wrong["missing"] = len(expected)
        lost = json.loads(
            subprocess.run(
                [self.tailcap, "info", "--json", self.folder / step / "capture.tcap"], capture_output=True, text=True
            ).stdout
        )["lost"]
        text = f"{seen}/{wanted} exact, arrivals of {arrived}"
        text += "".join(f", {count} {what}" for what, count in wrong.items()) + (
            f", {lost} events lost" if lost else ""
        )
        return text, seen == wanted and not wrong and arrived >= wanted * (1 - MAY_BE_UNKNOWN)

    def kinds(self, step):
        """How many events of each kind, samples by theirs."""
        events = self._json("events", step, "--json")
        return collections.Counter(f"sample {e['why']}" if e["kind"] == "sample" else e["kind"] for e in events)

    def diagnosis(self, step):
        return {f["kind"]: f["count"] for f in self._json("diag", step, "--json")[0]["findings"]}
