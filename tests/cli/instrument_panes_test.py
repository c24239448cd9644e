#!/usr/bin/env python3
"""Panes of a page beside those of its requests: the page at one request, the map of services, lanes, functions.

    tests/cli/instrument_panes_test.py --build build/dev [unittest arguments]
"""
import json
import re
import time

import case
import instrument_page


class Shown(instrument_page.Instrument):
    def shown_page(self, sample, name, fragment=""):
        out = self.scratch / f"{sample}-{name}.html"
        self.capture = case.SAMPLES / sample / f"{sample}.tcap"
        done = self.tailcap("show", self.capture, name, "-o", out)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.open(out, fragment)
        return out

    def test_it_is_the_page_of_the_report(self):
        self.shown_page("lock-contention", "3.144")
        self.assertEqual(self.window.errors(), [])
        self.assertEqual(self.hash(), "#req=3.144")
        self.assertEqual(len(self.shown()), 800)
        panes = "[...document.querySelectorAll('#instrument .pane')].map(e => e.className)"
        opened = self.window.run(panes)
        sections = "[...document.querySelectorAll('main > h2')].map(e => e.textContent)"
        own = self.window.run(sections)
        self.page("lock-contention", "#req=3.144")
        self.assertEqual(opened, self.window.run(panes))
        self.assertEqual(own, self.window.run(sections))

    def test_what_show_says_is_in_the_pane(self):
        """Every section of the text, every fact of it and both heads."""
        for sample, name in (("lock-contention", "3.144"), ("go-stock", "3.39"), ("slow-client", "2.1")):
            with self.subTest(sample):
                self.shown_page(sample, name)
                text = self.tailcap("show", self.capture, name, "--width", "1000").stdout
                pane = self.window.run("document.querySelector('.request').textContent")
                headings = re.findall(r"^── (.*?) ─", text, re.M)
                self.assertGreater(len(headings), 3)
                for heading in headings:
                    self.assertIn(heading, pane)
                facts = re.findall(r"^   (\S.*?)  +(\S.*)$", text.split("\n── ")[0], re.M)
                self.assertGreater(len(facts), 6)
                for label, fact in facts:
                    self.assertIn(label, pane)
                    self.assertIn(fact.replace("~ ", ""), pane)
                head = text.rsplit("\n── ", 1)[1].split("\n", 1)[1]
                for line in head.splitlines():
                    self.assertIn(line.strip(), pane)
                self.assertEqual(self.window.run("document.querySelectorAll('.request [id^=\"record-\"]').length"), 1)
                # Other requests have none of it.
                self.key("j")
                self.assertNotEqual(self.hash(), f"#req={name}")
                self.assertEqual(self.window.run("document.querySelectorAll('[id^=\"record-\"]').length"), 0)

    def test_without_a_script_it_begins_with_the_request(self):
        out = self.shown_page("lock-contention", "3.144")
        self.addCleanup(self.window.send, "Emulation.setScriptExecutionDisabled", value=False)
        self.window.send("Emulation.setScriptExecutionDisabled", value=True)
        self.window.send("Page.navigate", url=f"file://{out}?plain")
        time.sleep(1)
        self.window.send("Emulation.setScriptExecutionDisabled", value=False)
        self.assertTrue(self.window.run("document.querySelector('#record-3\\\\.144 table').checkVisibility()"))
        self.assertLess(
            self.window.run("document.querySelector('#record-3\\\\.144').getBoundingClientRect().top"),
            self.window.run("document.querySelector('.verdicts').getBoundingClientRect().top"),
        )

    def test_another_request_by_a_link(self):
        self.shown_page("lock-contention", "3.144", "#req=2.152")
        self.assertEqual(self.hash(), "#req=2.152")
        self.assertIn("2.152", self.window.run("document.querySelector('dl.facts').innerText"))


class Map(instrument_page.Instrument):
    def part(self, kind, text):
        return f"[...document.querySelectorAll('.map g.{kind}')].find(e => e.getAttribute('aria-label').startsWith('{text}'))"

    def test_a_call_filters(self):
        out = self.services()
        rows = {r["id"]: r for r in self.rows()}
        # What the workload did: its client asks the shop, the shop asks the stock for each of these.
        of_client = {i for i, r in rows.items() if r["role"] == "server" and r["peer"] is None}
        of_shop = set(rows) - of_client
        self.assertEqual((len(of_client), len(of_shop)), (ASKED, 2 * ASKED))
        for value, wanted in (("callers outside → shop", of_client), ("shop → stock", of_shop)):
            with self.subTest(value):
                self.window.run(f"{self.part('call', value)}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
                self.assertEqual(self.shown(), wanted)
                self.assertIn(value, self.window.run("document.querySelector('.about-selection').textContent"))
                self.assertEqual(self.window.run(f"{self.part('call', value)}.getAttribute('aria-pressed')"), "true")
        # A link opens the same, with the filter; Escape leads back to all.
        self.filter("duration > 0ns")
        link = self.hash()
        self.assertIn("call=", link)
        self.open(out, link)
        self.assertEqual(self.shown(), {i for i in of_shop if rows[i]["duration_ns"]})
        self.key("Escape")
        self.key("Escape")
        self.key("Escape")
        self.assertEqual(self.shown(), set(rows))

    def test_a_service_filters_by_key(self):
        self.services()
        rows = self.rows()
        for service in ("shop", "stock"):
            with self.subTest(service):
                self.window.run(f"{self.part('node', service)}.focus()")
                self.key("Enter")
                self.assertEqual(self.shown(), {r["id"] for r in rows if r["comm"] == service})
        self.window.run("document.activeElement.focus()")
        self.key("Enter")
        self.assertEqual(len(self.shown()), len(rows))
        self.window.run(f"{self.part('node', 'callers')}.focus()")
        self.key("Enter")
        self.assertEqual(self.shown(), {r["id"] for r in rows if r["role"] == "server" and r["peer"] is None})

    def test_a_service_that_the_page_does_not_have(self):
        out = self.services()
        self.open(out, "#service=nowhere")
        self.assertEqual(self.shown(), set())
        self.assertEqual(self.window.errors(), [])

    def services(self):
        (self.scratch / "text").write_text(two_services())
        capture = self.scratch / "services.tcap"
        made = case.run(case.program("tests/synth/synth-capture"), self.scratch / "text", capture)
        self.assertEqual(made.returncode, 0, made.stderr)
        return self.page("services", capture=capture)


class Lanes(instrument_page.Instrument):
    """The states of any request's threads, as `tailcap timeline` prints them for the same time."""

    LANES = "[...document.querySelectorAll('.lanes > .lane')]"

    def opened(self, name):
        self.window.run(f"instrument.state.set({{req: '{name}'}})")
        self.window.run(
            "new Promise(done => { const ask = () => document.querySelector('.lanes') ? done() : setTimeout(ask, 10); ask(); })"
        )

    def test_every_request_has_the_lane_of_its_thread(self):
        for sample in ("lock-contention", "go-stock", "slow-client"):
            with self.subTest(sample):
                self.page(sample)
                rows = [r for r in self.rows() if r["duration_ns"] and r["tid"] and r["role"] == "server"]
                for row in rows[:: max(1, len(rows) // 12)]:
                    self.opened(row["id"])
                    own = self.window.run(f"{self.LANES}.map(e => e.textContent)")
                    self.assertTrue(any(f"thread {row['tid']} " in lane for lane in own), (row["id"], own))
                    self.assertIn("its own", own[0])
                self.assertEqual(self.window.errors(), [])

    def test_they_say_what_the_timeline_says(self):
        self.page()
        row = next(r for r in self.rows() if r["id"] == "3.144")
        self.opened("3.144")
        begin, end = self.window.run(
            "(d => [d.start[d.row('3.144')], d.start[d.row('3.144')] + d.duration[d.row('3.144')]])(instrument.data)"
        )
        stretches = self.window.run(
            f"instrument.request.book.then(book => book.lanes.find(l => l.kind === 'thread' && l.number === {row['tid']}).stretches.map(s => [s.from, s.to, s.group]))"
        )
        shown = self.tailcap("timeline", self.capture, "--around", "3.144", "--json").stdout
        lane = next(l for l in json.loads(shown)["lanes"] if l["kind"] == "thread" and l["number"] == row["tid"])
        inside = lambda spans: [s for s in spans if begin <= s[0] and s[1] <= end]
        theirs = inside([(s["from_ns"], s["to_ns"]) for s in lane["stretches"]])
        ours = inside(stretches)
        self.assertGreater(len(theirs), 4)
        self.assertEqual(len(ours), len(theirs))
        for (a, b, _), (c, d) in zip(ours, theirs):
            self.assertAlmostEqual(a, c, delta=200)
            self.assertAlmostEqual(b, d, delta=200)

    def test_they_move_with_the_hops(self):
        self.page("lock-contention", "#req=3.144")
        self.opened("3.144")
        boxes = f"{self.LANES}.slice(0, 1).flatMap(e => [...e.querySelectorAll('rect')].map(r => r.getAttribute('x')))"
        before = self.window.run(boxes)
        self.assertGreater(len(before), 3)
        self.window.run("instrument.request.waterfall.show([1e6, 2e6])")
        self.assertNotEqual(self.window.run(boxes), before)

    def test_others_are_folded(self):
        self.page("lock-contention", "#req=3.144")
        self.opened("3.144")
        self.assertEqual(self.window.run("document.querySelectorAll('.lanes details .lane').length"), 0)
        self.window.run("document.querySelector('.lanes details summary').click()")
        self.window.run("new Promise(done => setTimeout(done, 100))")
        self.assertGreater(
            self.window.run("document.querySelectorAll('.lanes details .lane rect, .lanes details .lane path').length"),
            3,
        )

    def test_a_page_without_them_says_so(self):
        self.page("lock-contention")
        self.window.run("instrument.request.book.then(book => { book.times = []; })")
        self.opened("3.144")
        self.assertIn("not on this page", self.window.run("document.querySelector('.lanes').textContent"))


class Functions(instrument_page.Instrument):
    def test_samples_are_those_of_show(self):
        self.page("go-stacks")
        seen = 0
        for row in [r for r in self.rows() if r["role"] == "server"][::10]:
            shown = json.loads(self.tailcap("show", self.capture, row["id"], "--json").stdout)["end"]["samples"]
            self.window.run(f"instrument.state.set({{req: '{row['id']}'}})")
            counted = self.window.run(
                "(instrument.data.functions.get(instrument.data.row(instrument.state.now.req)) ?? []).filter(f => !f.waited).reduce((sum, f) => sum + f.value, 0)"
            )
            self.assertEqual(counted, shown["count"] if shown else 0)
            seen += counted
            if counted:
                self.assertIn("sample", self.window.run("document.querySelector('.functions').innerText"))
        self.assertGreater(seen, 0)

    def test_samples_and_waits_in_one_pane(self):
        """One request that runs in `price` of `cart`, and waits in poll, which `ask` of `cart` calls."""
        request = "GET /cart HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n"
        answer = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
        lines = [
            "preamble tier=a payload_limit=4096",
            '+0 task_info pid=10 tid=10 comm="shop"',
            "+0.000001 socket_info socket=1 family=inet type=stream origin=accepted state=established "
            "local=127.0.0.1:80 remote=10.0.0.2:40000 next_in=1000 next_out=5000",
            "+0.1 arrival socket=1 pos=1000 len=30",
            f'+0.1001 receive pid=10 tid=10 socket=1 pos=1000 data="{request}"',
            '+0.101 sample pid=10 tid=10 user="main;cart;price"',
            '+0.102 sample pid=10 tid=10 user="main;cart;price"',
            '+0.103 sample pid=10 tid=10 user="main;cart;ask;poll" kernel="do_poll" why=off_cpu',
            "+0.119 off_cpu pid=10 tid=10 left=+0.103 runnable=+0.1189 state=1 syscall=7",
            "+0.129 off_cpu pid=10 tid=10 left=+0.12 runnable=+0.1289 state=1 syscall=7",
            f'+0.13 send pid=10 tid=10 socket=1 pos=5000 data="{answer}"',
        ]
        (self.scratch / "text").write_text("\n".join(lines) + "\n")
        capture = self.scratch / "stacks.tcap"
        made = case.run(case.program("tests/synth/synth-capture"), self.scratch / "text", capture)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.page("stacks", "#req=1.1", capture)
        text = " ".join(self.window.run("document.querySelector('.functions').innerText").split())
        self.assertIn("2 samples price from cart", text)
        self.assertIn("15.9 ms ask calls poll from cart", text)
        self.assertIn("8.90 ms no stack was taken", text)


ASKED = 20


def two_services():
    """Both ends on one machine: a client that was not recorded asks "shop", which asks "stock" each time."""
    request = lambda path: f"GET {path} HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n"
    answer = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
    length = lambda text: len(text.replace("\\r\\n", "##"))
    info = "socket_info socket={} family=inet type=stream origin={} state=established local={} remote={} next_in={} next_out={}"
    lines = [
        "preamble tier=a payload_limit=4096",
        '+0 task_info pid=10 tid=10 comm="shop"',
        '+0 task_info pid=20 tid=20 comm="stock"',
        "+0.000001 " + info.format(1, "accepted", "127.0.0.1:80", "10.0.0.2:40000", 1000, 5000),
        "+0.000002 " + info.format(2, "connected", "127.0.0.1:50000", "127.0.0.1:81", 2000, 7000),
        "+0.000003 " + info.format(3, "accepted", "127.0.0.1:81", "127.0.0.1:50000", 7000, 2000),
    ]
    ends = {1: [1000, 5000], 2: [2000, 7000], 3: [7000, 2000]}
    outer, inner = request("/cart"), request("/item")

    def received(at, pid, socket, text):
        lines.append(f"+{at:.6f} arrival socket={socket} pos={ends[socket][0]} len={length(text)}")
        lines.append(
            f'+{at + 0.00001:.6f} receive pid={pid} tid={pid} socket={socket} pos={ends[socket][0]} data="{text}"'
        )
        ends[socket][0] += length(text)

    def sent(at, pid, socket, text):
        lines.append(f'+{at:.6f} send pid={pid} tid={pid} socket={socket} pos={ends[socket][1]} data="{text}"')
        ends[socket][1] += length(text)

    for n in range(ASKED):
        at = 0.01 + n * 0.02
        received(at, 10, 1, outer)
        sent(at + 0.001, 10, 2, inner)
        received(at + 0.0011, 20, 3, inner)
        sent(at + 0.005 + n * 0.0001, 20, 3, answer)
        received(at + 0.0051 + n * 0.0001, 10, 2, answer)
        sent(at + 0.008, 10, 1, answer)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    case.main()
