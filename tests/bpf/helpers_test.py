#!/usr/bin/env python3
"""Lists the kernel helpers that the programs call, and the kernel's symbols that they use, and compares both with what is
allowed.

    tests/bpf/helpers_test.py OBJECT

Reading, time, identity, own storage and the ring: nothing that writes to a process, signals it, or changes what a
kernel function returns. A helper or a symbol that is missing here must be argued for in the commit that adds it.
"""
import collections
import sys

from object_file import ObjectFile

HELPERS = {
    1: "map_lookup_elem",
    2: "map_update_elem",
    3: "map_delete_elem",
    5: "ktime_get_ns",
    8: "get_smp_processor_id",
    12: "tail_call",  # goes on with a program of the recorder
    35: "get_current_task",
    46: "get_socket_cookie",
    67: "get_stack",
    107: "sk_storage_get",
    108: "sk_storage_delete",  # the recorder's own, of a target that was taken away
    112: "probe_read_user",
    113: "probe_read_kernel",
    114: "probe_read_user_str",
    115: "probe_read_kernel_str",
    118: "jiffies64",
    127: "seq_write",
    130: "ringbuf_output",
    131: "ringbuf_reserve",
    132: "ringbuf_submit",
    133: "ringbuf_discard",
    134: "ringbuf_query",
    137: "skc_to_tcp_sock",
    141: "get_task_stack",
    156: "task_storage_get",
    157: "task_storage_delete",  # likewise
    158: "get_current_task_btf",
    162: "sock_from_file",
    174: "get_attach_cookie",
    175: "task_pt_regs",
    181: "loop",
    209: "user_ringbuf_drain",
}
SYMBOLS = {
    "bpf_rdonly_cast": "kernel function: gives an address a type, for reading only",
    "bpf_preempt_disable": "kernel function: the thread keeps its CPU until the program ends, as in older kernels",
    "bpf_preempt_enable": "likewise",
}


def main():
    functions = ObjectFile(sys.argv[1]).functions.values()
    called = collections.Counter(number for f in functions for number in f.helpers)
    used = {name for f in functions for name in f.externs}
    if not called:
        sys.exit("no helper call found: is this the object?")
    for number, count in sorted(called.items()):
        print(f"{number:4} {HELPERS.get(number, 'NOT ALLOWED'):24} {count} times")
    for name in sorted(used):
        print(f"     {name}: {SYMBOLS.get(name, 'NOT ALLOWED')}")
    bad = sorted(called.keys() - HELPERS.keys()) + sorted(used - SYMBOLS.keys())
    if bad:
        sys.exit(f"helpers or symbols that are not allowed: {bad}")


if __name__ == "__main__":
    main()
