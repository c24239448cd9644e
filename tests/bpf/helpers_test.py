#!/usr/bin/env python3
"""Lists the kernel helpers that the programs call, from their instructions, and compares with what is allowed.

    tests/bpf/helpers_test.py OBJECT

Reading, time, identity, own storage and the ring: nothing that writes to a process, signals it, or changes what a
kernel function returns. A helper that is missing here must be argued for in the commit that adds it.
"""
import collections
import re
import subprocess
import sys

ALLOWED = {
    1: "map_lookup_elem", 2: "map_update_elem", 3: "map_delete_elem", 5: "ktime_get_ns", 8: "get_smp_processor_id", 35: "get_current_task", 46: "get_socket_cookie",
    67: "get_stack", 107: "sk_storage_get",
    112: "probe_read_user", 113: "probe_read_kernel", 114: "probe_read_user_str", 115: "probe_read_kernel_str", 118: "jiffies64", 127: "seq_write",
    130: "ringbuf_output", 131: "ringbuf_reserve", 132: "ringbuf_submit", 134: "ringbuf_query", 137: "skc_to_tcp_sock",
    156: "task_storage_get", 158: "get_current_task_btf", 162: "sock_from_file", 174: "get_attach_cookie", 175: "task_pt_regs",
}


def main():
    # clang's own disassembler, or that of any LLVM at hand; sizes and names do not matter, only "call N".
    text = subprocess.run(["llvm-objdump", "-d", "--no-show-raw-insn", sys.argv[1]], capture_output=True, text=True).stdout
    if not text:
        for version in range(14, 22):
            try:
                text = subprocess.run([f"llvm-objdump-{version}", "-d", "--no-show-raw-insn", sys.argv[1]], capture_output=True, text=True).stdout
            except FileNotFoundError:
                continue
            if text:
                break
    called = collections.Counter(int(n, 0) for n in re.findall(r"\bcall (0x[0-9a-f]+|\d+)\b", text))
    if not called:
        sys.exit("no helper call found: is this the object, and is llvm-objdump there?")
    for number, count in sorted(called.items()):
        print(f"{number:4} {ALLOWED.get(number, 'NOT ALLOWED'):24} {count} times")
    bad = set(called) - set(ALLOWED)
    if bad:
        sys.exit(f"helpers that are not allowed: {sorted(bad)}")


if __name__ == "__main__":
    main()
