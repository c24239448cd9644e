"""What a measurement here stands on: CPU clocks that are exact, where it ran, and what figures say together."""
import json
import os
import pathlib
import platform
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def subtree(pids):
    """The processes and their descendants."""
    out, rest = [], list(pids)
    while rest:
        out.append(rest.pop())
        for task in pathlib.Path(f"/proc/{out[-1]}/task").glob("*/children"):
            try:
                rest += [int(child) for child in task.read_text().split()]
            except FileNotFoundError:
                pass  # a thread that ended meanwhile
    return out


def cpu_seconds(pid):
    """CPU time of all threads of a process by the scheduler's clock (not ticks); of a list of processes: with their descendants."""
    if isinstance(pid, list):
        return sum(cpu_seconds(one) for one in subtree(pid))
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass  # a thread that ended meanwhile
    return total / 1e9


def machine_cpu_seconds():
    """CPU time of all tasks on all CPUs, by the scheduler's clock. /proc/stat is sampled and lies at low load."""
    for accounting in ("/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage"):
        if os.path.exists(accounting):
            return int(pathlib.Path(accounting).read_text()) / 1e9
    total = 0
    for line in pathlib.Path("/proc/schedstat").read_text().splitlines():
        fields = line.split()
        if fields[0].startswith("cpu"):
            total += int(fields[7])
    return total / 1e9


def bpf_programs(pid):
    """name -> (runs, nanoseconds) of the programs that a process has loaded, while kernel.bpf_stats_enabled is on."""
    own = set()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            own.update(int(line.split()[1]) for line in info.read_text().splitlines() if line.startswith("prog_id:"))
        except FileNotFoundError:
            pass  # a file that was closed meanwhile
    out = subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, check=True).stdout
    found = {}
    for program in json.loads(out):
        if program["id"] in own and "run_cnt" in program:
            runs, ns = found.get(program.get("name", "?"), (0, 0))
            found[program.get("name", "?")] = (runs + program["run_cnt"], ns + program["run_time_ns"])
    return found


def set_bpf_stats(on):
    pathlib.Path("/proc/sys/kernel/bpf_stats_enabled").write_text("1" if on else "0")


def commit():
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run(
        git + ["rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    dirty = subprocess.run(
        git + ["status", "--porcelain", "-uno"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return f"{name or 'unknown'}{' with changes' if dirty else ''}"


def stolen_seconds():
    """CPU time that the hypervisor gave to others, as a mean over the CPUs, since the start of the machine."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") / (os.cpu_count() or 1)


def hardware():
    model = "unknown CPU"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":")[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} CPUs ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def description():
    return f"Machine: {hardware()}. Commit: {commit()}."


def median_and_range(values):
    """(median, low, high): low and high are the middle half when there are enough values, else the extremes."""
    values = sorted(values)
    if len(values) >= 4:
        quarters = statistics.quantiles(values, n=4, method="inclusive")
        return statistics.median(values), quarters[0], quarters[2]
    return statistics.median(values), values[0], values[-1]


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
