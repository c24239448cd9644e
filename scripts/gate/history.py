"""Summaries of gates, one file for each run in a folder, and what drifts over them.

A summary holds one number for each route and metric of the version under test, and what the base had in the same job. docs/ci.md and
docs/gate-history.schema.json describe it. What is read here may be anything.
"""
import datetime
import json
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess

import drift

SCHEMA = 1
MOST_VALUES = 200  # of a summary
MOST_BYTES = 128 * 1024  # of a file that is read
MOST_RUNS = 200  # the newest are looked at
MOST_SHOWN = 20
SAME_RATE = 1.1  # runs under another load are no history of this one
COMPARED_BY_RATIO = ("p50", "p95", "p99", "own_p99", "own_mean", "mean", "process_cpu")
# Not tested where own_p99 of the route is: they also measure what else runs on the machine.
BY_THE_MACHINE = ("p95", "p99", "mean")
OF_BYTES = ("request_bytes", "response_bytes", "memory")


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        model = ""
    return f"{model or platform.machine()}, {os.cpu_count()} CPUs"


def commit_of(given):
    """The one that a CI system names, or the one that is checked out."""
    for text in (given, os.environ.get("GITHUB_SHA"), os.environ.get("CI_COMMIT_SHA")):
        if text:
            return text
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def summary(comparison, commit, now):
    """The summary of a document of `tailcap compare --json`."""
    values = []
    for route in comparison["routes"]:
        for row in route["metrics"]:
            e = row["estimate"]
            if route["role"] != "server" or not e or e["new_at_least"]:
                continue
            name = f"{route['method'] or ''} {route['route']}".strip()
            values.append(
                {"route": name, "metric": row["metric"], "value": e["new"], "base": e["base"], "exact": e["exact"]}
            )
    return {
        "schema": SCHEMA,
        "kind": "tailcap gate summary",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": commit,
        "verdict": comparison["verdict"],
        "tailcap": comparison["tailcap"],
        "machine": processor(),
        "requests_per_second": comparison["new"]["requests_per_second"],
        "values": values[:MOST_VALUES],
    }


def keep(folder, comparison, commit):
    """Writes the summary of a comparison; returns its path."""
    now = datetime.datetime.now(datetime.timezone.utc)
    made = summary(comparison, commit_of(commit), now)
    word = re.sub(r"[^0-9A-Za-z._-]", "-", made["commit"] or "run")[:12]
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(1, 100):
        path = folder / f"{now.strftime('%Y%m%dT%H%M%SZ')}-{word}{'' if n == 1 else f'-{n}'}.json"
        if not path.exists():
            break
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(made, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.rename(path)
    return path


def number(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)


def is_summary(read):
    return (
        isinstance(read, dict)
        and read.get("kind") == "tailcap gate summary"
        and read.get("schema") == SCHEMA
        and isinstance(read.get("time"), str)
        and isinstance(read.get("machine"), str)
        and (read.get("commit") is None or isinstance(read["commit"], str))
        and number(read.get("requests_per_second"))
        and isinstance(read.get("values"), list)
        and len(read["values"]) <= MOST_VALUES
        and all(
            isinstance(v, dict)
            and isinstance(v.get("route"), str)
            and isinstance(v.get("metric"), str)
            and number(v.get("value"))
            and number(v.get("base"))
            and isinstance(v.get("exact"), bool)
            for v in read["values"]
        )
    )


def read_all(folder):
    """Summaries in the order of time, and the number of files that are none."""
    found, strange = [], 0
    for path in sorted(folder.glob("*.json"))[-MOST_RUNS:]:
        try:
            with open(path, "rb") as f:
                text = f.read(MOST_BYTES + 1)
            read = json.loads(text) if len(text) <= MOST_BYTES else None
        except (OSError, ValueError, RecursionError):
            read = None
        if is_summary(read):
            found.append(read)
        else:
            strange += 1
    return sorted(found, key=lambda s: s["time"]), strange


def alike(summaries):
    """Those that were made as the newest was."""
    last = summaries[-1]
    rate = last["requests_per_second"]
    same_load = lambda s: rate / SAME_RATE <= s["requests_per_second"] <= rate * SAME_RATE
    return [s for s in summaries if s["machine"] == last["machine"] and same_load(s)]


def change(route, metric, run, before, after, base, p):
    relative = metric in COMPARED_BY_RATIO and before > 0
    return {
        "route": route,
        "metric": metric,
        "since": run["time"],
        "commit": run["commit"],
        "before": before,
        "after": after,
        "change": after / before - 1 if relative else after - before,
        "relative": relative,
        "base_then": base,
        "p": p,
    }


def look(folder):
    """What drifts over the summaries in a folder."""
    summaries, strange = read_all(folder)
    runs = alike(summaries) if summaries else []
    series = {}
    for place, run in enumerate(runs):
        for v in run["values"]:
            series.setdefault((v["route"], v["metric"]), {})[place] = v
    steps, tested = [], {}
    for (route, metric), values in series.items():
        places = sorted(values)
        if all(v["exact"] for v in values.values()):
            for before, at in zip(places, places[1:]):
                if (b := values[before]["value"]) != (a := values[at]["value"]):
                    steps.append(change(route, metric, runs[at], b, a, values[at]["base"], None))
        elif metric not in BY_THE_MACHINE or (route, "own_p99") not in series:
            tested[route, metric] = [(place, values[place]["value"]) for place in places]
    drifts = [
        change(
            *name,
            runs[place],
            statistics.median(before),
            statistics.median(after),
            series[name][place]["base"],
            p,
        )
        for name, place, before, after, p in drift.change_points(tested)
    ]
    return {
        "schema": SCHEMA,
        "kind": "tailcap gate history",
        "runs": len(runs),
        "first": runs[0]["time"] if runs else None,
        "last": runs[-1]["time"] if runs else None,
        "machine": runs[-1]["machine"] if runs else None,
        "others": len(summaries) - len(runs),
        "strange": strange,
        "tested": sum(len(values) >= drift.LEAST for values in tested.values()),
        "level": drift.LEVEL,
        "least_runs": drift.LEAST,
        "drifts": sorted(drifts, key=lambda d: d["since"], reverse=True),
        "steps": sorted(steps, key=lambda d: d["since"], reverse=True),
    }


# In words


def printable(text):
    return "".join(c if c.isprintable() else "?" for c in text)[:100]


def digits(x):
    return f"{x:.0f}" if x == round(x) and abs(x) < 1e6 else f"{x:.3g}"


def scaled(x, steps):
    size = abs(x)
    factor, unit = next(((f, u) for f, u in steps if size >= f), steps[-1])
    return f"{digits(x / factor)} {unit}"


def level_text(metric, x):
    if metric in COMPARED_BY_RATIO or "." in metric:
        return scaled(x, ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")))
    if metric in ("errors", "client_errors"):
        return f"{digits(100 * x)} %"
    if metric in OF_BYTES:
        return scaled(x, ((1e6, "MB"), (1e3, "kB"), (1, "B")))
    return digits(x)


def change_text(c):
    size = f"{100 * c['change']:+.1f} %, " if c["relative"] else ""
    where = f"{printable(c['metric'])} of {printable(c['route'])}"
    at = f" {printable(c['commit'])[:12]}" if c["commit"] else ""
    chance = f"; p = {c['p']:.3f}" if c["p"] is not None else "; exact"
    base = f"; the base of that run had {level_text(c['metric'], c['base_then'])}"
    return f"{where}: {size}{level_text(c['metric'], c['before'])} → {level_text(c['metric'], c['after'])} since {c['since']}{at}{base}{chance}"


def lines_of(found):
    """Lines that say what a reader has to know, most important first."""
    out = []
    if found["others"]:
        out.append(f"{found['others']} runs on other machines or under another load are left out")
    if found["strange"]:
        out.append(f"{found['strange']} files are no summaries of this version, and are left out")
    if found["runs"] < drift.LEAST:
        return [*out, f"{found['runs']} runs: drifts are looked for from {drift.LEAST} on"]
    for kind, word in (("drifts", "Drift"), ("steps", "Changed")):
        out += [f"{word}: {change_text(c)}" for c in found[kind][:MOST_SHOWN]]
        if len(found[kind]) > MOST_SHOWN:
            out.append(f"{len(found[kind]) - MOST_SHOWN} more are not shown; --json has them")
    if not found["drifts"]:
        out.append(f"No drift in {found['tested']} series that vary")
    out.append(f"Where nothing changes, {100 * found['level']:.0f} % of such looks find a drift all the same.")
    return out


def text_of(found):
    when = f", {found['first']} to {found['last']}" if found["runs"] else ""
    machine = f" on {printable(found['machine'])}" if found["machine"] else ""
    return "\n".join(
        [f"tailcap gate history: {found['runs']} runs{machine}{when}", *("  " + line for line in lines_of(found))]
    )


def comment_of(found, most=5):
    """Lines for a comment; empty: nothing drifts, or there are too few runs."""
    shown = [f"- Drift: {change_text(c)}" for c in found["drifts"][:most]]
    if not shown:
        return ""
    more = len(found["drifts"]) - len(shown)
    shown += [f"- {more} more: `tailcap gate history`"] if more > 0 else []
    return f"Slow drifts, over {found['runs']} runs (no verdict):\n\n" + "\n".join(shown) + "\n"
