"""Recordings of repeated runs, as text of tests/synth: what is in them is the truth that a comparison is held against."""
import random
import subprocess

import case


def text(
    number,
    requests=600,
    ms=5.0,
    calls=1,
    errors=0,
    failing_every=0,
    version=None,
    slow_every=60,
    rate=60,
    spread=0.02,
    second=None,
):
    """GET /pay, at `rate` a second; each makes `calls` calls to GET /stock. Runs differ by `spread`; one in `slow_every` takes three times as long.
    failing_every: one of that many requests succeeds although its calls are answered 500."""
    dice = random.Random(number)
    factor = ms / 1000 * (1 + spread * dice.uniform(-1, 1))
    note = f' note="version={version}"' if version else ""
    begin = 1_700_000_000 + (100 * number if second is None else second)
    lines = [
        f"preamble tier=a payload_limit=256 capture_id=c{number} started_realtime={begin}000000000{note}",
        f"+0 clock realtime={begin}000000000 boottime=0 uncertainty=100",
        '+0 task_info pid=10 tid=10 comm="pay"',
        "+0.001 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:40000 next_in=1000 next_out=5000",
        "+0.001 socket_info socket=6 family=inet type=stream origin=connected state=established local=10.0.0.1:50000 remote=10.0.0.3:80 next_in=1000 next_out=5000",
    ]
    at = {"in": 1000, "out": 5000, "call": 5000, "answer": 1000}
    ask, stock, ok = (
        "GET /pay HTTP/1.1\\r\\nHost: p\\r\\n\\r\\n",
        "GET /stock HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n",
        "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok",
    )
    bad = ok.replace("200 OK", "500 NO")

    def size(data):
        return len(data.replace("\\r\\n", "##"))

    for i in range(requests):
        start = 0.01 + i / rate
        answer = bad if failing_every and i % failing_every == 3 else ok
        length = factor * (3 if i % slow_every == 7 else dice.uniform(0.9, 1.1))
        lines.append(f"+{start:.6f} arrival socket=5 pos={at['in']} len={size(ask)}")
        lines.append(f'+{start + 0.00001:.6f} receive pid=10 tid=10 socket=5 pos={at["in"]} data="{ask}"')
        at["in"] += size(ask)
        for c in range(calls):
            begin_call = start + 0.0001 + (length - 0.0002) * c / calls
            end = start + 0.0001 + (length - 0.0002) * (c + 0.9) / calls
            lines.append(f'+{begin_call:.6f} send pid=10 tid=10 socket=6 pos={at["call"]} data="{stock}"')
            lines.append(f"+{end:.6f} arrival socket=6 pos={at['answer']} len={size(answer)}")
            lines.append(
                f"+{end + 0.00001:.6f} off_cpu pid=10 tid=10 left=+{begin_call + 0.00001:.6f} runnable=+{end:.6f} state=1 syscall=0 arg0=6"
            )
            lines.append(f'+{end + 0.00002:.6f} receive pid=10 tid=10 socket=6 pos={at["answer"]} data="{answer}"')
            at["call"] += size(stock)
            at["answer"] += size(answer)
        answer = bad if i < errors else ok
        lines.append(f'+{start + length:.6f} send pid=10 tid=10 socket=5 pos={at["out"]} data="{answer}"')
        at["out"] += size(answer)
    return "\n".join(lines) + "\n"


def exact(durations, failed=(), refused=(), method="POST", path="/pay", number=1):
    """One request after the other, of exactly these durations (µs). failed, refused: the indexes of those that are answered 500 and 404."""
    begin = 1_700_000_000 + 100 * number
    lines = [
        f"preamble tier=a payload_limit=256 capture_id=e{number} started_realtime={begin}000000000",
        f"+0 clock realtime={begin}000000000 boottime=0 uncertainty=100",
        '+0 task_info pid=10 tid=10 comm="pay"',
        "+0.001 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:40000 next_in=1000 next_out=5000",
    ]
    ask = f"{method} {path} HTTP/1.1\\r\\nHost: p\\r\\nContent-Length: 0\\r\\n\\r\\n"
    at, spent = [1000, 5000], 10_000
    failed, refused = set(failed), set(refused)
    for i, duration in enumerate(durations):
        status = "500 NO" if i in failed else "404 NO" if i in refused else "200 OK"
        answer = f"HTTP/1.1 {status}\\r\\nContent-Length: 2\\r\\n\\r\\nok"
        sizes = [len(text.replace("\\r\\n", "##")) for text in (ask, answer)]
        lines.append(f"+{spent / 1e6:.6f} arrival socket=5 pos={at[0]} len={sizes[0]}")
        lines.append(f'+{(spent + 1) / 1e6:.6f} receive pid=10 tid=10 socket=5 pos={at[0]} data="{ask}"')
        lines.append(f'+{(spent + duration) / 1e6:.6f} send pid=10 tid=10 socket=5 pos={at[1]} data="{answer}"')
        at = [at[0] + sizes[0], at[1] + sizes[1]]
        spent += duration + 1000
    return "\n".join(lines) + "\n"


def write(folder, name, **what):
    return write_text(folder, name, text(**what))


def write_text(folder, name, lines):
    (folder / f"{name}.txt").write_text(lines)
    subprocess.run(
        [case.program("tests/synth/synth-capture"), folder / f"{name}.txt", folder / f"{name}.tcap"], check=True
    )
    return folder / f"{name}.tcap"


def abba(folder, base, new, runs=5):
    """Folders with `runs` runs a side, recorded alternately. base, new: what text() takes."""
    sides = (folder / "base", folder / "new")
    for side in sides:
        side.mkdir(exist_ok=True)
    done = [0, 0]
    for number in range(2 * runs):
        side = (0, 1, 1, 0)[number % 4]
        if done[side] == runs:
            side = 1 - side
        done[side] += 1
        write(sides[side], f"run{number}", number=number, **(base, new)[side])
    return sides
