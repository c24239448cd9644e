"""One run of the analyser."""
import mmap
import os
import subprocess
import time


MEMORY = 256 << 20  # bytes: more than most runs take


def take_memory():
    """Where a hypervisor takes back what is free, the first process after a pause waits for each page. Now the machine has it."""
    with mmap.mmap(-1, MEMORY, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, MEMORY, mmap.PAGESIZE):
            memory[at] = 1


def run_once(command, cpus, said=None):
    """(seconds, CPU seconds, peak resident bytes) of one run. said: where its standard error goes."""
    take_memory()
    began = time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(
            [str(c) for c in command],
            stdout=nowhere,
            stderr=said,
            preexec_fn=lambda: os.sched_setaffinity(0, range(cpus)),
        )
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise RuntimeError(f"{command} failed")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
