#!/usr/bin/env python3
"""Adds up the stack along every chain of calls as Linux does before 6.4: each frame rounded up to 32 bytes. More than 512 bytes,
or more than eight frames, and those kernels refuse the program. Programs that threads may share with a preempted one keep the
thread's stack (bpf/core/thread_stack.bpf.h).

    tests/bpf/stack_test.py OBJECT
"""
import sys

from object_file import ObjectFile

MOST_BYTES, MOST_FRAMES, STEP = 512, 8, 32
TAIL_CALL = 12
GONE_ON_WITH = ("io_send", "io_receive", "call_done")


def deepest(functions, name, above=()):
    """The chain of calls below a function that takes the most stack, and its bytes."""
    if name in above:
        sys.exit(f"{name} calls itself")
    own = max(functions[name].stack, 1)
    own += -own % STEP
    below = [deepest(functions, called, (*above, name)) for called in functions[name].calls]
    chain, size = max(below, key=lambda b: b[1], default=([], 0))
    return [(name, own), *chain], own + size


def longest(functions, name):
    return 1 + max((longest(functions, called) for called in functions[name].calls), default=0)


def main():
    functions = ObjectFile(sys.argv[1]).functions
    programs = sorted(f.name for f in functions.values() if f.is_program)
    if not programs:
        sys.exit("no program found: is this the object?")
    refused = []
    for name in programs:
        chain, size = deepest(functions, name)
        frames = longest(functions, name)
        print(f"{size:4} bytes, {frames} frames: " + " → ".join(f"{n} {own}" for n, own in chain))
        if size > MOST_BYTES or frames > MOST_FRAMES:
            refused.append(name)
    sharing = {f.name for f in functions.values() if f.section == "uprobe"}.union(GONE_ON_WITH)
    unsafe = sorted(name for name in sharing if TAIL_CALL not in functions[name].helpers)
    if unsafe or len(sharing) == len(GONE_ON_WITH):
        sys.exit(f"without KEEP_THREAD_STACK: {', '.join(unsafe) or 'no program is at a function'}")
    if refused:
        sys.exit(f"more than {MOST_BYTES} bytes or {MOST_FRAMES} frames: {', '.join(refused)}")


if __name__ == "__main__":
    main()
