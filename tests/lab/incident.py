"""Builds incidents of real software, records them as a user would, and reads the first answer.

    incident.py --build build/release [--only NAME,…] [--open] [--repeat N] [--results FILE] [--keep FOLDER]
    incident.py --build build/release --judge FOLDER    judges what --keep kept there, and records nothing
    incident.py --build build/release --only NAME --require      fails unless cause and culprit are in the first answer of a run
    incident.py --results FILE --table      prints the table of what is in there, and runs nothing

An answer is judged by words that stand beside the incident: one for the cause, one for the culprit. `--open` leaves out the
incidents that are held out. Root and BTF.
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from incidents import INCIDENTS  # noqa: E402
from incidents.stage import Stage, harness  # noqa: E402

LEAST_HIT = 3
RIGHT = ("both", "calm", "machine")
CLASSES = {
    "both": "cause and culprit in the first answer",
    "later": "both in a later answer",
    "cause": "the cause only",
    "else": "something else",
    "silent": "no answer above note",
}


def go_before_others():
    """On a busy machine, an incident and its recorder have the CPUs before other programs, which are no part of it."""
    group = pathlib.Path("/sys/fs/cgroup/cpu/tailcap-incidents")
    if group.parent.is_dir() and not group.is_dir():
        group.mkdir()
    if group.is_dir():
        (group / "cpu.shares").write_text("100000")
        (group / "cgroup.procs").write_text("0")


def above_note(answers):
    return [text for text, level, _ in answers if level in ("notable", "severe")]


def judge(incident, answers):
    """A word for what the answers are worth."""
    if incident.null:
        blamed = [text for text, level, scope in answers if level in ("notable", "severe") and scope != "machine"]
        return "wrong" if blamed else "machine" if above_note(answers) else "calm"
    has = [(bool(re.search(incident.cause, t)), bool(re.search(incident.culprit, t))) for t, _, _ in answers]
    if has[:1] == [(True, True)]:
        return "both"
    if (True, True) in has:
        return "later"
    if has and has[0][0]:
        return "cause"
    return "else" if answers else "silent"


def record(incident, build, keep):
    """The truth and the answers of a new recording."""
    with tempfile.TemporaryDirectory(prefix="tailcap-incident-") as folder:
        stage = Stage(build, folder)
        with stage.stack:
            truth = incident.run(stage)
        if keep:
            kept = keep / incident.name
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(stage.capture, kept)
            (kept / "truth.json").write_text(json.dumps(truth))
            (kept / "sent.jsonl").write_text("".join(json.dumps(r) + "\n" for r in stage.sent))
        return truth, stage.answers()


def run(incident, build, keep, kept):
    if kept:
        stage = Stage(build, kept / incident.name)
        truth, answers = json.loads((stage.folder / "truth.json").read_text()), stage.answers()
    else:
        truth, answers = record(incident, build, keep)
    hit = truth.get("hit")
    word = "not hit" if hit is not None and hit < LEAST_HIT else judge(incident, answers)
    return {
        "name": incident.name,
        "row": incident.row,
        "held_out": incident.held_out,
        "null": incident.null,
        "truth": truth,
        "judged": word,
        "first": answers[0][0] if answers else "",
        "level": answers[0][1] if answers else "nothing",
    }


def table(results):
    """The last run of each incident as Markdown."""
    rows = {r["name"]: r for r in results}
    lines = ["| incident | row | held out | what is true | first answer | level |", "|---|---|---|---|---|---|"]
    for i in INCIDENTS:
        if i.name not in rows:
            continue
        r = rows[i.name]
        lines.append(
            f"| {i.name} | {i.row} | {'yes' if i.held_out else ''} | {r['truth']['what']} | {r['judged']} | {r['level']} |"
        )
    counts = collections.Counter(r["judged"] for r in results if not r["null"])
    nulls = collections.Counter(r["judged"] for r in results if r["null"])
    lines.append("")
    lines.append("Runs: " + ", ".join(f"{w} {n}" for w, n in counts.most_common()) + ". Without a fault: ")
    lines[-1] += ", ".join(f"{w} {n}" for w, n in nulls.most_common()) + "."
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--judge", type=pathlib.Path)
    parser.add_argument("--require", action="store_true")
    given = parser.parse_args()
    if given.table:
        return print(table(harness.json_lines(given.results.read_text())))
    if why := harness.why_not_here():
        print(f"skipped: {why}")
        return sys.exit(77)
    harness.BUILD = given.build.resolve()
    go_before_others()
    wanted = given.only.split(",") if given.only else [i.name for i in INCIDENTS if not (given.open and i.held_out)]
    bad, words = 0, []
    for incident in (i for i in INCIDENTS if i.name in wanted):
        for _ in range(given.repeat):
            try:
                result = run(incident, given.build.resolve(), given.keep, given.judge)
            except Exception as error:  # one incident that cannot be built does not end the others
                result = {
                    "name": incident.name,
                    "row": incident.row,
                    "held_out": incident.held_out,
                    "null": incident.null,
                }
                result |= {"truth": {"what": ""}, "judged": "broken", "first": repr(error), "level": "nothing"}
            print(f"{result['name']:18} {result['judged']:8} {result['level']:8} {result['first'][:400]}", flush=True)
            bad += result["judged"] in ("wrong", "broken")
            words.append(result["judged"])
            if given.require and words[-1] in RIGHT:
                sys.exit(0)
            if given.results:
                with open(given.results, "a") as out:
                    out.write(json.dumps(result) + "\n")
    if given.require and set(words) == {"not hit"}:
        print("skipped: the fault hit too few requests")
        sys.exit(77)
    sys.exit(1 if bad or given.require else 0)


if __name__ == "__main__":
    main()
