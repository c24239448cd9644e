#!/usr/bin/env python3
"""Boots old kernels, records in them, and writes docs/KERNELS.md. scripts/kernels is how it is called."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

from guest import boot, initial_file_system
from judge import Judge
from packages import MACHINES, Packages

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# name, seconds, what guest.sh does, what the matrix calls it
STEPS = [
    ("doctor", 300, "run $RECORD doctor", "`tailcap doctor`"),
    ("default", 300, "workload", "default"),
    ("tier-a", 300, "workload --tier a", "`--tier a`"),
    ("tier-c", 300, "workload --tier c", "`--tier c`"),
    ("deep", 300, "workload --profile deep", "`--profile deep`"),
    ("tls-auto", 300, "workload --tls auto", "`--tls auto`"),
    ("stacks", 300, "workload --stacks", "`--stacks`"),
    ("sample", 300, "workload --sample 99", "`--sample 99`"),
    ("files", 300, "workload --add files", "`--add files`"),
    ("interrupts", 300, "workload --add interrupts", "`--add interrupts`"),
    ("allocations", 300, "workload --add allocations", "`--add allocations`"),
    (
        "all",
        400,
        "workload --profile deep --stacks --sample 99 --add files,interrupts,allocations",
        "all of these at once",
    ),
    ("budget", 300, "workload --budget 50% --last 10m", "`--budget 50%`"),
    ("node", 300, "node", "`--profile node`"),
    ("go", 300, "pair $GO_PAIR plain", "Go"),
    ("go-deep", 300, "pair $GO_PAIR plain --profile deep", "Go, `--profile deep`"),
    ("go-probes", 300, "pair $GO_PAIR tls --tls probes", "Go with TLS, `--tls probes`"),
    ("go-keys", 300, "pair $GO_PAIR tls --tls keys", "Go with TLS, `--tls keys`"),
    ("go-auto", 300, "pair $GO_PAIR tls --tls auto", "Go with TLS, `--tls auto`"),
    ("openssl-probes", 300, "pair $SSL_PAIR tls --tls probes", "OpenSSL 3, `--tls probes`"),
    ("openssl-keys", 300, "pair $SSL_PAIR tls --tls keys", "OpenSSL 3, `--tls keys`"),
    ("openssl-auto", 300, "pair $SSL_PAIR tls --tls auto", "OpenSSL 3, `--tls auto`"),
    ("tests", 3000, "tests", "`tests/bpf`"),
]
# What a step must have recorded beside requests.
MUST_HOLD = {
    "stacks": ["sample off_cpu"],
    "sample": ["sample on_cpu"],
    "files": ["file_call"],
    "interrupts": ["stall"],
    "allocations": ["malloc_calls"],
    "all": ["sample off_cpu", "sample on_cpu", "file_call", "stall", "malloc_calls"],
    "go": ["go_handler"],
    "go-deep": ["go_handler", "go_state"],
}
# What the recorder leaves out on a kernel (docs/LIMITS.md): steps that are of no use there, and kinds that no step holds.
LEFT_OUT = {
    "5.10": [
        "tls-auto",
        "allocations",
        "budget",
        "go-deep",
        "go-probes",
        "go-keys",
        "go-auto",
        "openssl-probes",
        "openssl-keys",
        "openssl-auto",
        "tests",
        "go_handler",
        "malloc_calls",
    ]
}
SAID_OF_OLDER = "this kernel lacks helpers of Linux 6.1"  # in every step there
REFUSED_CONNECTS = 5  # by guest.sh, in the step node
# The recorder refuses a tier that the kernel does not have with these words.
NO_TIER = "tier a was asked for, but this kernel has no"


def judged(judge, name, left_out):
    """What the matrix says of a step, and whether that is as it should be."""
    if name in left_out:
        return "not run" if name == "tests" else "left out", True
    said, code = judge.said(name)
    if code is None:
        return said, False
    last = said.splitlines()[-1] if said else ""
    if name == "doctor":
        return last.rstrip("."), code == 0
    if name == "tests":
        first, _, again = said.partition("\nagain: ")
        passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", said))
        skipped = sum(int(n) for n in re.findall(r"\[  SKIPPED \] (\d+) test", first))
        failed = sorted(set(re.findall(r"\[  FAILED  \] ([A-Za-z]\w*[./][\w/.]+)", again or first)))
        text = f"{passed} passed" + (" (some at their second run)" if again else "") + f", {skipped} skipped"
        return text + (", failed: " + ", ".join(failed) if failed else ""), code == 0
    if code == 1 and NO_TIER in said:
        return "this kernel does not have it", True
    if not (judge.folder / name / "capture.tcap").exists():
        return "failed: " + last[:200], False
    if name == "node":
        found = judge.diagnosis(name)
        return (
            f"{found.get('connect_failures', 0)} of {REFUSED_CONNECTS} refused connections found",
            found.get("connect_failures") == REFUSED_CONNECTS,
        )
    text, right = judge.requests(name)
    kinds = judge.kinds(name)
    for kind in MUST_HOLD.get(name, []):
        if kind in left_out:
            continue
        text += f", {kinds[kind]} {kind.replace('_', '-')}"
        right = right and kinds[kind] > 0
    for line in said.splitlines():
        if line.startswith("tailcap-record: ") and "no process is called" not in line and SAID_OF_OLDER not in line:
            text += "; " + line.removeprefix("tailcap-record: ").replace("|", "\\|")
    return text, right


def build_pairs(folder, machine, root):
    """Builds the programs of tests/kernels/pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = ROOT / "tests/kernels/pairs"
    surroundings = {"GO111MODULE": "off", "GOARCH": machine.architecture, "CGO_ENABLED": "0"}
    subprocess.run(
        ["go", "build", "-p", "2", "-o", folder / "go-pair", "."],
        cwd=pairs / "go",
        env={**os.environ, **surroundings},
        check=True,
    )
    compiler = ["aarch64-linux-gnu-gcc", f"--sysroot={root}"] if machine.architecture == "arm64" else ["gcc"]
    subprocess.run(
        [*compiler, "-O2", pairs / "ssl.c", "-o", folder / "ssl-pair", "-lssl", "-lcrypto"],
        check=True,
    )
    return {"GO_PAIR": folder / "go-pair", "SSL_PAIR": folder / "ssl-pair"}


HEAD = """# Kernels

`tailcap-record` in guests that run Debian's kernels under QEMU, without acceleration. Generated by `scripts/kernels`; times mean
nothing there, so the tables have none. The load is 80 requests of `tailcap-load` to the sample service and 10 of busybox's `wget`
to its `httpd`, both ends recorded: 180 records; of a server and a client in Go, and of both with OpenSSL, 40 requests: 80 records. "Exact":
found once, complete, with method, path, status and sizes as both programs logged them; "arrivals": the time at which the bytes reached the
socket is known. The cells that do not begin with ✗ are as they should be.

5.10 lacks helpers of Linux 6.1 for kernel programs: [what is not recorded there](LIMITS.md#kernels-and-machines).

The oldest kernel that is supported is the oldest in the table of its machine; the newest is the newest that Debian has for its stable
release. tailcap is developed on 6.18 (x86-64).
"""


def table(machine, columns, path):
    """Replaces the machine's section. columns: release → step name → (text, right)."""
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", path.read_text(), re.M | re.S))
    releases = list(columns)
    text = f"\n| step | {' | '.join(releases)} |\n|---|{'---|' * len(releases)}\n"
    for name, _, _, title in STEPS:
        cells = [columns[r].get(name, ("not run", True)) for r in releases]
        text += f"| {title} | " + " | ".join(("" if right else "✗ ") + cell for cell, right in cells) + " |\n"
    sections[machine] = text
    path.write_text(HEAD + "".join(f"\n## {m}\n\n{sections[m].strip()}\n" for m in MACHINES if m in sections))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", choices=MACHINES, default="x86-64", help="default: x86-64, with the table")
    parser.add_argument("--build", type=pathlib.Path, help="default: build/release, or build/arm64")
    parser.add_argument("--judge", type=pathlib.Path, help="a build whose tailcap runs here (default: build/release)")
    parser.add_argument("--root", type=pathlib.Path, help="libraries of arm64 (default: build/root-arm64)")
    parser.add_argument(
        "--kernel",
        action="append",
        help="only this one (repeat for more); the table is then printed only",
    )
    parser.add_argument("--step", action="append", choices=[s[0] for s in STEPS], help="likewise")
    parser.add_argument("--folder", type=pathlib.Path, help="where packages and results go (default: build/kernels)")
    given = parser.parse_args()
    machine = MACHINES[given.machine]
    for kernel in given.kernel or []:
        if kernel not in machine.kernels:
            parser.error(f"--kernel: {' or '.join(machine.kernels)} for {given.machine}")
    native = given.machine == "x86-64"
    build = (given.build or ROOT / "build" / ("release" if native else "arm64")).resolve()
    judging = (given.judge or (build if native else ROOT / "build/release")).resolve()
    root = pathlib.Path("/") if native else (given.root or ROOT / "build/root-arm64").resolve()
    folder = given.folder or build.parent / "kernels"
    packages = Packages(folder, machine)
    qemu, environment = packages.qemu()
    programs = {
        "RECORD": build / "capture/tailcap-record",
        "SERVICE": build / "samples/tailcap-sample-service",
        "LOAD": build / "samples/tailcap-load",
        "BPF_TEST": build / "tests/bpf/bpf_test",
        "BPF_WORKLOAD": build / "tests/bpf/bpf_workload",
        "BPF_SMALL_RECORDER": build / "tests/bpf/bpf_small_recorder",
        **build_pairs(folder.resolve() / f"pairs-{given.machine}", machine, root),
    }
    steps = [s for s in STEPS if not given.step or s[0] in given.step]
    columns, right = {}, True
    for kernel in given.kernel or machine.kernels:
        left_out = LEFT_OUT.get(kernel, [])
        image, release = packages.kernel(kernel)
        results = folder / "results" / release
        initial = folder / f"initial-{release}"
        initial_file_system(
            initial,
            packages.unpacked("busybox-static") / "bin/busybox",
            programs,
            [s[:3] for s in steps if s[0] not in left_out],
            machine,
            root,
        )
        print(f"{release}: {len(steps)} steps; {results}/console.log shows which", file=sys.stderr)
        boot(machine, qemu, environment, image, initial, results, sum(s[1] for s in steps))
        judge = Judge(judging, results)
        columns[release] = {name: judged(judge, name, left_out) for name, *_ in steps}
        right = right and all(r for _, r in columns[release].values())
    for release, column in columns.items():
        for name, (text, is_right) in column.items():
            print(f"{'ok  ' if is_right else 'FAIL'} {release} {name}: {text}")
    if not given.kernel and not given.step:
        table(given.machine, columns, ROOT / "docs/KERNELS.md")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
