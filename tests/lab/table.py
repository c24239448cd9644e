"""The table of the fault lab, bench/LAB.md, from the results of lab.py."""
import collections
import pathlib
import statistics
import subprocess

SLACK_NS, SLACK = 2_000_000, 0.10
HEAD = """# The fault lab

Made by `scripts/lab --all` at commit {commit}. Medians over the requests that a fault hit, of all runs; time in ms. Several labels: the
first is expected, the others may stand for it (without evidence for it, or in part). Dominant: the expected label, or what may stand for
it, is what makes those requests slow. Within: its time is within 10 % or 2 ms of the truth. Named: the report's first answers about the
route name it. First, origin, level: what the first answer says; the level is the most frequent one. Who: who is behind it is named
rightly (the thread that sent the signal, the address of the called service, the route of the request that held up others).

| # | fault | label | attributed | true | unexplained | runs | dominant | within | named | first | origin | who | level |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def ms(ns):
    return f"{ns / 1e6:.2f}"


def counted(values):
    return ", ".join(f"{'`' + str(v) + '`' if v else 'none'} {n}" for v, n in collections.Counter(values).most_common())


def fault_line(fault, scores):
    middle = statistics.median
    good = sum(r["dominant"] == fault.labels[0] for r in scores)
    named = sum(bool(r["right"]) for r in scores)
    if fault.check:
        return f"| {fault.number} | {fault.name} | {fault.shows} | | | | {len(scores)} | {good} | | {named if any(r['right'] is not None for r in scores) else ''} | | | | |"
    hit = [r for r in scores if r["dominant"]]
    within = sum(abs(r["attributed"] - r["true"]) <= max(SLACK * r["true"], SLACK_NS) for r in hit)
    who = [r["who_right"] for r in hit if r.get("who_right") is not None]
    levels = collections.Counter(r["level"] for r in hit).most_common(1)
    return (
        f"| {fault.number} | {fault.name} | `{'`, `'.join(fault.labels)}` | {ms(middle(r['attributed'] for r in scores))} | "
        f"{ms(middle(r['true'] for r in scores))} | {middle(r['unexplained'] for r in scores):.1%} | {len(scores)} | {good} | {within} | "
        f"{sum(bool(r['right']) for r in scores)} | {counted(r['named'][0] if r['named'] else None for r in hit)} | "
        f"{counted(r['origin'] for r in hit)} | {f'{sum(who)} of {len(who)}' if who else ''} | {levels[0][0] if levels else ''} |"
    )


def null_lines(nulls):
    kinds = collections.defaultdict(list)
    for r in nulls:
        hogs = r.get("hogs", 0)
        kinds[
            ("rich" if r.get("rich") else "plain") + (f", {hogs} busy processes for each CPU" if hogs else "")
        ].append(r)
    lines = [
        "## Runs without a fault",
        "",
        "Wrong: an answer of the level notable or severe that blames the service (rich: against the service's own log), another first",
        "name than lab-hog where the machine is blamed, or stolen time that /proc/stat contradicts.",
        "",
        "| runs | number | wrong | origins of answers from notable on | machine blamed | lab-hog first |",
        "|---|---|---|---|---|---|",
    ]
    for kind, runs in kinds.items():
        blamed = [r for r in runs if r.get("blamed")]
        first = sum(r["named_first"] == ["lab-hog"] for r in blamed)
        lines.append(
            f"| {kind} | {len(runs)} | {sum(bool(r['named']) for r in runs)} | {counted(o for r in runs for o in r.get('origins', ())) or 'none'} | "
            f"{len(blamed)} | {first if 'hog' in kind or 'busy' in kind else ''} |"
        )
    for r in nulls:
        lines += [f"\nWrong: {text}" for text in r["named"]]
    return lines


def write(file, results, faults):
    commit = (
        subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        or "unknown"
    )
    lines = [HEAD.format(commit=commit).rstrip()]
    by_number = {f.number: f for f in faults}
    faulty = [r for r in results if "fault" in r]
    for fault in faults:
        if scores := [r for r in faulty if r["fault"] == fault.number]:
            lines.append(fault_line(fault, scores))
    right = sum(r["dominant"] == by_number[r["fault"]].labels[0] for r in faulty)
    judged = [r for r in faulty if r["right"] is not None]
    named = sum(r["right"] for r in judged)
    wrong = [r for r in judged if not r["right"] and r["named"] and r["origin"] == "service"]
    who = [r["who_right"] for r in faulty if r.get("who_right") is not None]
    lines += [
        "",
        f"The dominant label was right in {right} of {len(faulty)} runs ({right / max(len(faulty), 1):.1%}). The report named it in {named} of {len(judged)} "
        f"({named / max(len(judged), 1):.1%}), and blamed the service for something else in {len(wrong)}. Who was behind it, where there is "
        f"one, was right in {sum(who)} of {len(who)}.",
    ]
    other = collections.Counter(
        (r["fault"], r["dominant"]) for r in faulty if r["dominant"] != by_number[r["fault"]].labels[0]
    )
    if other:
        lines += [
            "",
            "Where the dominant label was another: "
            + "; ".join(
                f"{by_number[n].name} (`{by_number[n].labels[0]}`): "
                + (f"`{label}`" if label else "fewer than ten requests were hit")
                + f" {count}"
                for (n, label), count in other.items()
            )
            + ".",
        ]
    seconds = [r["report_seconds"] for r in results if r.get("report_seconds")]
    if seconds:
        lines += [
            "",
            f"From the capture to the report: median {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s, of {len(seconds)} runs.",
        ]
    if broken := sum("broken" in r for r in results):
        lines += ["", f"Not counted: {broken} runs in which the recorder lost events, and said so."]
    if nulls := [r for r in results if "null" in r]:
        lines += ["", *null_lines(nulls)]
    pathlib.Path(file).write_text("\n".join(lines) + "\n")
