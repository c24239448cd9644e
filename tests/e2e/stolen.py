"""What the hypervisor takes of the CPUs. A test that waits for other programs can fail by that alone."""
import os
import pathlib
import threading
import time

# Beyond this share of all CPUs during a test, or of half a second of it, what failed then is not decided.
MUCH, MUCH_AT_ONCE = 0.2, 0.6
PIECE = 0.5


def stolen():
    """ns that the hypervisor took from all CPUs so far."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Watch:
    """`share` of the CPUs that was taken while the block ran, and `worst`, that of its worst half second."""

    def __enter__(self):
        self.share = self.worst = 0.0
        self.began, self.before = time.monotonic(), stolen()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()
        return self

    def look(self):
        then, had = self.began, self.before
        while not self.over.wait(PIECE):
            now, has = time.monotonic(), stolen()
            self.worst = max(self.worst, self.of(has - had, now - then))
            then, had = now, has

    @staticmethod
    def of(ns, seconds):
        return ns / 1e9 / max(seconds, 0.001) / os.cpu_count()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.share = self.of(stolen() - self.before, time.monotonic() - self.began)

    @property
    def much(self):
        return self.share > MUCH or self.worst > MUCH_AT_ONCE
