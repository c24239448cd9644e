#!/usr/bin/env python3
"""The object for kernels without newer helpers (bpf/core/older.bpf.h): its programs call only what Linux 5.10 has, and its
variables lie where those of the other object do, because user space has one description of both.

    tests/bpf/older_test.py OBJECT HEADER OTHER-HEADER
"""
import pathlib
import re
import sys

from object_file import ObjectFile

LAST_HELPER = 155  # of Linux 5.10
# Not loaded there (capture/probes): programs at functions, tier A, and what takes the stacks of waits as they end.
LEFT_OUT = re.compile(r"uprobe|tp_btf/sock_(send|recv)_length|tp_btf/irq_work_entry")


def reached(functions, name, seen):
    if name not in seen:
        seen.add(name)
        for called in functions[name].calls:
            reached(functions, called, seen)
    return seen


def variables(header):
    """The members of each section of variables, in their order."""
    text = pathlib.Path(header).read_text()
    return dict(re.findall(r"struct tailcap(?:_older)?_bpf__(bss|rodata) \{\n(.*?)\n\t\}", text, re.S))


def main():
    functions = ObjectFile(sys.argv[1]).functions
    loaded = [f.name for f in functions.values() if f.is_program and not LEFT_OUT.fullmatch(f.section)]
    if len(loaded) < 30:
        sys.exit("too few programs: is this the object?")
    wrong = []
    for program in loaded:
        for name in sorted(reached(functions, program, set())):
            function = functions[name]
            new = sorted({n for n in function.helpers if n > LAST_HELPER})
            if new or function.fetches or function.externs:
                wrong.append(
                    f"{program}: {name}: helpers {new}, {function.fetches} fetches, {sorted(function.externs)}"
                )
    print(f"{len(loaded)} programs")
    if wrong:
        sys.exit("\n".join(["Linux 5.10 does not have:", *wrong]))
    own, other = variables(sys.argv[2]), variables(sys.argv[3])
    if len(own) != 2:
        sys.exit("no variables found: is this the header?")
    if own != other:
        sys.exit("the variables of the two objects differ")


if __name__ == "__main__":
    main()
