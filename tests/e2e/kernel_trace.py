"""The kernel's own trace, as truth that knows nothing of our programs."""
import contextlib
import os
import pathlib
import re

TRACING = pathlib.Path("/sys/kernel/tracing")
LINE = re.compile(r"-(\d+)\s+\[(\d+)\]\s+\S+\s+(\d+)\.(\d{6}): (\w+): (.*)")


def why_not(*events):
    """Why there is none of these events ("block/block_bio_queue"), or None."""
    missing = [e for e in events if not (TRACING / "events" / e).exists()]
    return f"no trace of {missing[0]} to compare with (tracefs at {TRACING}?)" if missing else None


@contextlib.contextmanager
def trace(*events):
    """In a buffer of its own. Gives a list that has, in the end, (ns of CLOCK_MONOTONIC in whole µs, tid, CPU, event, its text)."""
    place = TRACING / "instances" / f"tailcap-{os.getpid()}"
    place.mkdir()
    lines = []
    try:
        (place / "trace_clock").write_text("mono")
        (place / "buffer_size_kb").write_text("8192")
        for event in events:
            (place / "events" / event / "enable").write_text("1")
        yield lines
        (place / "tracing_on").write_text("0")
        for tid, cpu, seconds, us, event, text in LINE.findall((place / "trace").read_text()):
            lines.append(((int(seconds) * 1_000_000 + int(us)) * 1000, int(tid), int(cpu), event, text))
    finally:
        (place / "tracing_on").write_text("0")
        for event in events:
            (place / "events" / event / "enable").write_text("0")
        place.rmdir()
