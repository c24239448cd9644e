#!/usr/bin/env python3
"""How often commands open a capture: a page must not read it again for every picture. The kernel counts.

    tests/cli/readings_test.py --build build/dev [unittest arguments]
"""
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import struct

import case

IN_ACCESS, IN_OPEN = 0x1, 0x20  # the reads between them keep two openings from being reported as one
EVENT = struct.Struct("iIII")
libc = ctypes.CDLL(None, use_errno=True)


def openings(path, act):
    fd = libc.inotify_init1(os.O_NONBLOCK)
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(path), IN_OPEN | IN_ACCESS) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    try:
        act()
        data = os.read(fd, 1 << 20)
        return sum(EVENT.unpack_from(data, at)[1] & IN_OPEN != 0 for at in range(0, len(data), EVENT.size))
    finally:
        os.close(fd)


def busy_go(waiting):
    """Events of a Go program on one processor that is busy from the 10th second to the 25th. Meanwhile its requests take five times as
    long: they compute, or they wait, and there are stacks of it."""
    chance = random.Random(5)
    events = [
        (0, 'task_info pid=20 tid=20 comm="shop"'),
        (0, 'go_program pid=20 tid=20 path="/shop" version="go1.22" parts=8 processors=1'),
        (
            0.001,
            "socket_info socket=6 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
            "remote=10.0.0.2:40000 next_in=1000 next_out=5000",
        ),
        (10, "go_state pid=20 tid=20 of=9 state=running"),
        (25.5, "go_state pid=20 tid=20 of=9 state=parked"),
    ]
    into, out, ended = 1000, 5000, 0.002
    serving = "pid=20 tid=21 goroutine=7"
    for n in range(2000):
        at = 0.01 + n / 50
        slow = 10 <= at < 25
        took = chance.uniform(0.012, 0.016) if slow else chance.uniform(0.002, 0.003)
        events += [
            (at, f"arrival socket=6 pos={into} len=28"),
            (at + 0.00005, f"off_cpu pid=20 tid=21 left=+{ended:.6f} runnable=+{at + 0.00001:.6f} state=1 syscall=281"),
            (at + 0.0001, f'receive {serving} socket=6 pos={into} data="GET / HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n"'),
            (
                at + took,
                f'send {serving} socket=6 pos={out} data="HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"',
            ),
        ]
        for k in range(2) if slow else ():
            left = at + 0.001 + 0.005 * k
            if waiting:
                events += [
                    (left, f'sample {serving} why=off_cpu user="main.serve;main.wait{k}" kernel="futex_wait"'),
                    (
                        left + 0.0045,
                        f"off_cpu {serving} left=+{left:.6f} runnable=+{left + 0.004:.6f} waker=22 state=1 syscall=202",
                    ),
                ]
            else:
                events.append((left, f'sample {serving} user="main.serve;main.price{n % 3 // 2}"'))
        into, out, ended = into + 28, out + 40, at + took + 0.0001
    events.sort(key=lambda event: event[0])
    return "preamble tier=a payload_limit=256\n" + "".join(f"+{at:.6f} {event}\n" for at, event in events)


class Readings(case.Case):
    def count(self, capture, *arguments):
        page = self.scratch / "page.html"

        def act():
            done = self.tailcap(*arguments, "-o", page)
            self.assertIn(done.returncode, (0, 3), done.stderr)

        opened = openings(capture, act)
        self.assertGreater(page.stat().st_size, 0)
        return opened

    def captures(self):
        """Copies, because other tests read the samples at the same time."""
        found = [pathlib.Path(shutil.copy(capture, self.scratch)) for capture in sorted(case.SAMPLES.glob("*/*.tcap"))]
        self.assertTrue(found)
        return found

    def test_the_counter_counts(self):
        capture = self.captures()[0]
        self.assertEqual(openings(capture, lambda: [capture.read_bytes() for _ in range(3)]), 3)

    def busy(self, name, waiting):
        events, capture = self.scratch / f"{name}.txt", self.scratch / f"{name}.tcap"
        events.write_text(busy_go(waiting))
        made = case.run(case.program("tests/synth/synth-capture"), events, capture)
        self.assertEqual(made.returncode, 0, made.stderr)
        return capture

    def trigger(self, capture):
        """The one of the report, which the requests that it names and their stacks must have."""
        [trigger] = json.loads(self.tailcap("report", capture, "--json").stdout)["triggers"]
        self.assertTrue(trigger["stack"])
        return trigger

    def flame(self, capture, request, *arguments):
        """The stacks of a request as `tailcap flame` finds them, without the process: it reads the capture for this alone."""
        stacks = json.loads(self.tailcap("flame", capture, request, "--json", *arguments).stdout)["stacks"]
        return {stack["stack"].partition(";")[2]: stack["value"] for stack in stacks}

    def test_a_report_reads_twice(self):
        for capture in [*self.captures(), self.busy("computing", False), self.busy("waiting", True)]:
            for form in ("text", "html", "md", "json", "agent"):
                with self.subTest(capture.name, form=form):
                    self.assertEqual(self.count(capture, "report", capture, "--format", form), 2)

    def test_a_request_reads_twice(self):
        for capture in self.captures():
            with self.subTest(capture.name):
                listed = self.tailcap("requests", capture, "--json", "--sort", "duration", "-n", "1").stdout
                request = re.search(r'"id":"([0-9.]+)"', listed).group(1)
                for form in ("text", "html", "json"):
                    self.assertEqual(self.count(capture, "show", capture, request, "--format", form), 2, form)

    def test_a_request_with_samples_reads_twice(self):
        capture = self.busy("computing", False)
        request = self.trigger(capture)["requests"][0]
        self.assertEqual(self.count(capture, "show", capture, request), 2)
        shown = json.loads(self.tailcap("show", capture, request, "--json").stdout)["end"]["samples"]
        stacks = self.flame(capture, request)
        self.assertEqual((shown["count"], shown["of_stack"]), (sum(stacks.values()), max(stacks.values())))
        self.assertEqual(stacks[shown["stack"]], shown["of_stack"])

    def test_triggers_have_the_stacks_of_their_requests(self):
        for name, arguments in ("computing", ()), ("waiting", ("--measure", "off-cpu")):
            with self.subTest(name):
                capture = self.busy(name, name == "waiting")
                trigger = self.trigger(capture)
                sums = {}
                for request in trigger["requests"]:
                    for stack, value in self.flame(capture, request, *arguments).items():
                        sums[stack] = sums.get(stack, 0) + value
                self.assertEqual(trigger["stack_unit"], "ns" if arguments else "samples")
                self.assertEqual(
                    (trigger["stacks_total"], trigger["stack_value"]), (sum(sums.values()), max(sums.values()))
                )
                self.assertEqual(sums[trigger["stack"]], trigger["stack_value"])

    def test_a_page_has_the_stacks_of_its_requests(self):
        for capture in (case.SAMPLES / "go-stacks/go-stacks.tcap", self.busy("computing", False)):
            with self.subTest(capture.name):
                page = self.tailcap("report", capture, "--format", "html", "-o", "-").stdout
                captions = dict(re.findall(r">([0-9.]+): ([0-9,]+) samples? of the CPU, innermost", page))
                self.assertTrue(captions)
                for request, count in captions.items():
                    self.assertEqual(int(count.replace(",", "")), sum(self.flame(capture, request).values()), request)


if __name__ == "__main__":
    case.main()
