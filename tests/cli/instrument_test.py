#!/usr/bin/env python3
"""The instrument of a report's page in a browser: boxes, filter, sorting, one request and its twin, keys, links.

    tests/cli/instrument_test.py --build build/dev [unittest arguments]
"""
import json
import re

import case
import instrument_page

FILTERS = [
    "status == 200",
    "status == 5xx or status == 4xx",
    "status != 200",
    "duration > 2ms && duration <= 1.5s",
    "duration_ns >= 2500000",
    "not (method == GET)",
    "!complete",
    "complete and tls == false",
    'path contains "slow"',
    "route matches /s*",
    "path matches '*e?*'",
    "outcome == ok || outcome == server_error",
    "grpc_status == null",
    "peer != null",
    "tainted",
    "tainted == payload_cut",
    "not tainted contains bytes_lost",
    "labels.lock.futex > 1ms",
    "labels.timer.sleep == 0",
    "response_bytes < 1kB and request_bytes == 0",
    "pid > 0 and tid != null",
    "role = server and protocol == http/1.1",
    "comm >= a",
    "connection == 3 or attempt == 2",
    "first_byte > 100us and not (duration > 1m30s)",
]
WRONG = [
    "status ==",
    "status = abc",
    "duration > 5",
    "methd == GET",
    "(status == 200",
    "status 200",
    "'x' == 1",
    "status == 200)",
    "path > ",
    "tls == 1",
    "role == sever",
    "tainted == no",
    "status == null &",
    "duration contains 5ms",
    "labels.x > 1ms",
    '"open',
    "status < null",
    "complete > true",
    "$",
]


class Acts(instrument_page.Instrument):
    # What it holds.

    def test_every_request_is_on_the_page(self):
        for sample in sorted(f.name for f in case.SAMPLES.iterdir() if f.is_dir()):
            with self.subTest(sample):
                out = self.page(sample)
                self.assertEqual(self.window.errors(), [])
                self.assertEqual(self.window.requested()[-1:], [f"file://{out}"])
                rows = {r["id"]: r for r in self.rows()}
                self.assertEqual(self.shown(), set(rows))
                page = self.window.run(
                    "Object.fromEntries(instrument.passed.map(r => [instrument.data.id(r), [instrument.data.value('duration_ns', r), "
                    "instrument.data.value('status', r), instrument.data.value('path', r), Object.fromEntries(instrument.data.account(r).map(([l, t]) => [l.name, t])), "
                    "(instrument.data.course(r) ?? []).reduce((sum, s) => sum + s.to - s.from, 0)]]))"
                )
                followed = 0
                for name, (took, status, path, account, course) in page.items():
                    row = rows[name]
                    self.assertEqual((took, status), (row["duration_ns"], row["status"]))
                    self.assertEqual(path is None, row["path"] is None)
                    sums = {}
                    for part in row["labels"] or []:
                        sums[part["label"]] = sums.get(part["label"], 0) + part["ns"]
                    self.assertEqual(account, sums)
                    if course and took is not None:
                        self.assertEqual(course, took)
                        followed += 1
                accounts = sum(1 for r in rows.values() if r["labels"])
                self.assertGreaterEqual(followed, accounts * 0.9)

    def test_the_filter_reads_the_language_of_where(self):
        for sample in ("lock-contention", "cut-short", "go-stock"):
            self.page(sample)
            for text in FILTERS:
                with self.subTest(sample=sample, text=text):
                    self.filter(text)
                    self.assertEqual(
                        self.window.run("document.getElementById('where').getAttribute('aria-invalid')"),
                        "false",
                        self.says(),
                    )
                    self.assertEqual(self.shown(), {r["id"] for r in self.rows("-w", text)})

    def test_a_filter_that_cannot_be_read(self):
        self.page()
        self.filter("duration > 5ms")
        before = self.shown()
        self.assertTrue(0 < len(before) < 800)
        for text in WRONG:
            with self.subTest(text):
                self.filter(text)
                self.assertEqual(
                    self.window.run("document.getElementById('where').getAttribute('aria-invalid')"), "true"
                )
                self.assertGreater(len(self.says()), len(text) + 8)
                self.assertEqual(self.shown(), before, "what was shown stays")
                self.assertEqual(self.tailcap("requests", self.capture, "-w", text).returncode, 2, "-w refuses it, too")
        self.filter("trace_id == null")
        self.assertIn("the page has no field 'trace_id'", self.says())
        self.assertIn("tailcap requests", self.says())

    # Interactions.

    def test_a_box_selects(self):
        self.page()
        self.drag_box(0.3, 0.02, 0.6, 0.3)
        state = self.window.run("[instrument.state.now.t, instrument.state.now.d]")
        (from_s, to_s), (low, high) = state
        self.assertRegex(self.hash(), r"^#t=[\d.]+,[\d.]+&d=[\d.]+,[\d.]+$")
        rows = self.rows()
        begin = min(r["start_ns"] for r in rows) - self.window.run("Math.min(...instrument.data.start)")
        inside = {
            r["id"]
            for r in rows
            if from_s <= (r["start_ns"] - begin) / 1e9 <= to_s and low <= r["duration_ns"] / 1e6 <= high
        }
        self.assertTrue(0 < len(inside) < len(rows), (state, len(inside)))
        self.assertEqual(self.shown(), inside)
        self.assertIn(
            f"{len(inside)} selected", self.window.run("document.querySelector('.about-selection').textContent")
        )
        # What distinguishes them: shares as they are counted.
        lines = self.window.run("[...document.querySelectorAll('.trait')].map(b => b.dataset.tip)")
        self.assertTrue(any(f"of {len(inside)} selected" in line for line in lines), lines)
        line = next(line for line in lines if line.startswith("mostly waiting for a lock:"))
        mainly = lambda r: max(r["labels"], key=lambda p: p["ns"])["label"].startswith("lock.")
        self.assertIn(
            f": {sum(1 for r in rows if r['id'] in inside and mainly(r))} of {len(inside)} selected, {sum(1 for r in rows if r['id'] not in inside and mainly(r))} of",
            line,
        )
        # Bars are as long as the shares.
        bars = self.window.run(
            "[...document.querySelectorAll('.trait')].map(b => [b.dataset.tip, ...[...b.querySelectorAll('.share i')].map(i => i.getBoundingClientRect().width)])"
        )
        for tip, own, other in bars:
            n, of, m, of_others = map(int, re.search(r": (\d+) of (\d+) selected, (\d+) of (\d+) others", tip).groups())
            whole = own / (n / of)
            self.assertAlmostEqual(other, max(2, whole * m / of_others) if m else 0, delta=0.5, msg=tip)
        # A line filters by it.
        self.window.run("document.querySelector('.trait').click()")
        self.assertTrue(self.window.run("instrument.state.now.where"))
        self.assertLess(self.window.run("instrument.passed.length"), len(rows))
        # Escape takes the steps back.
        self.key("Escape")
        self.assertNotIn("t=", self.hash())
        self.key("Escape")
        self.assertIn(self.hash(), ("", "#"))
        self.assertEqual(len(self.shown()), len(rows))

    def test_an_answer_selects(self):
        self.page()
        self.key("1")
        self.assertEqual(self.hash(), "#answer=1")
        members = self.shown()
        self.assertIn("3.144", members)
        self.assertTrue(self.window.run("document.querySelector('.answers li').classList.contains('chosen')"))
        self.assertEqual(
            self.window.run("document.querySelector('.answers button.choose').getAttribute('aria-pressed')"), "true"
        )
        self.assertIn(
            f"{len(members)} requests", self.window.run("document.querySelector('.answers button.choose').textContent")
        )
        self.window.run("document.querySelector('.answers button.choose').click()")
        self.assertEqual(len(self.shown()), 800)
        # Its examples open beside the others of it.
        self.window.run(
            "document.querySelector('.answers a[href*=\"req=\"]').click(); new Promise(done => setTimeout(done, 100))"
        )
        self.assertEqual(self.hash(), "#req=3.144&answer=1")
        self.assertFalse(self.window.run("document.querySelector('.request').hidden"))
        self.assertEqual(self.shown(), members)

    def test_sorting(self):
        self.page()
        shown = "instrument.requests.rows.map(r => instrument.data.duration[r])"
        head = "[...document.querySelectorAll('table.requests thead button')].find(b => b.textContent === 'duration')"
        self.assertEqual(self.window.run(shown), sorted((r["duration_ns"] for r in self.rows()), reverse=True))
        self.window.run(f"{head}.click()")
        self.assertEqual(self.window.run(shown), sorted(r["duration_ns"] for r in self.rows()))
        self.assertEqual(self.window.run(f"{head}.parentElement.getAttribute('aria-sort')"), "ascending")
        self.assertEqual(self.hash(), "#sort=duration")
        first = self.window.run("document.querySelector('table.requests tbody tr:not(.space) a').textContent")
        self.assertEqual(first, min(self.rows(), key=lambda r: (r["duration_ns"], r["start_ns"]))["id"])
        self.window.run("document.querySelector('.scroller').scrollTop = 1e6")
        self.window.run("new Promise(done => setTimeout(done, 100))")
        last = self.window.run(
            "[...document.querySelectorAll('table.requests tbody tr:not(.space) a')].at(-1).textContent"
        )
        self.assertEqual(last, max(self.rows(), key=lambda r: r["duration_ns"])["id"])

    def test_a_request_and_its_twin(self):
        self.page()
        self.window.run("document.querySelector('table.requests tbody tr:not(.space) a').click()")
        self.assertEqual(self.hash(), "#req=3.144")
        text = self.window.run("document.querySelector('.request').innerText")
        row = next(r for r in self.rows() if r["id"] == "3.144")
        self.assertIn("GET /slow", text)
        self.assertIn(f"thread {row['tid']}", text)
        self.assertIn("What was behind it", text)
        self.assertRegex(text, r"waiting for a lock at 0x\w+, thread \d+ – GET /slow 2\.152 → sleeping")
        twin = self.window.run("instrument.data.id(instrument.request.waterfall.groups[1].row)")
        report = json.loads(self.tailcap("report", self.capture, "--json").stdout)
        exemplar = next(e for r in report["routes"] if r["tail"] for e in r["tail"]["exemplars"] if e["id"] == "3.144")
        self.assertEqual(twin, exemplar["typical"])
        # On one scale: bars are as long as the requests took.
        boxes = self.window.run(
            "[...document.querySelectorAll('svg.bars')].map(s => [...s.querySelectorAll('rect')].reduce((sum, r) => sum + Number(r.getAttribute('width')), 0))"
        )
        took = {r["id"]: r["duration_ns"] for r in self.rows()}
        self.assertAlmostEqual(boxes[1] / boxes[0], took[twin] / took["3.144"], delta=0.03)
        # Its id is a link to it, and Back and Escape lead back.
        self.window.run("[...document.querySelectorAll('.group-of-hops a')][1].click()")
        self.assertEqual(self.hash(), f"#req={twin}")
        self.window.run("history.back(); new Promise(done => setTimeout(done, 200))")
        self.assertEqual(self.hash(), "#req=3.144")
        self.assertIn("3.144", self.window.run("document.querySelector('dl.facts').innerText"))
        self.key("Escape")
        self.assertIn(self.hash(), ("", "#"))
        self.assertTrue(self.window.run("document.querySelector('.request').hidden"))

    def test_hops_of_a_trace(self):
        """A call is inside the request that made it, and its two ends are one bar."""
        self.page("go-stock")
        rows = {r["id"]: r for r in self.rows()}
        call = next(
            (
                r
                for r in rows.values()
                if r["parent"] and r["peer"] and r["duration_ns"] and rows[r["parent"]]["duration_ns"]
            ),
            None,
        )
        if call is None:
            self.skipTest("the sample has no call with both ends")
        self.open(self.scratch / "go-stock.html", f"#req={call['parent']}")
        hops = self.window.run(
            "instrument.request.waterfall.groups[0].hops.map(h => [h.depth, h.client === null ? null : instrument.data.id(h.client), h.server === null ? null : instrument.data.id(h.server)])"
        )
        self.assertIn([1, call["id"], call["peer"]], hops)
        wanted = {r["id"] for r in rows.values() if r["parent"] == call["parent"]}
        self.assertEqual({client for depth, client, _ in hops if depth == 1}, wanted)

    def test_a_click_opens_a_dot(self):
        self.page()
        x, y, _, _ = self.place("#latencies")
        dot = self.window.run(
            "(h => { const r = h.data.row('3.144'); return [h.x(h.data.start[r]), h.y(h.data.duration[r])]; })(instrument.heatmap)"
        )
        self.window.send("Input.dispatchMouseEvent", type="mouseMoved", x=x + dot[0], y=y + dot[1])
        self.assertRegex(self.window.run("document.getElementById('tip').textContent"), "GET /slow\n10.1 ms")
        self.window.mouse("mousePressed", x + dot[0], y + dot[1])
        self.window.mouse("mouseReleased", x + dot[0], y + dot[1])
        self.assertEqual(self.hash(), "#req=3.144")

    def test_zoom(self):
        self.page()
        whole = self.window.run("instrument.heatmap.range")
        x, y, width, height = self.place("#latencies")
        self.window.send(
            "Input.dispatchMouseEvent",
            type="mouseWheel",
            x=x + width / 2,
            y=y + height / 2,
            deltaX=0,
            deltaY=-200,
            modifiers=2,
        )
        self.window.run("new Promise(done => setTimeout(done, 100))")
        first = self.window.run("instrument.heatmap.range")
        self.assertLess(first[1] - first[0], 0.7 * (whole[1] - whole[0]))
        self.assertRegex(self.hash(), "^#z=")
        # However often the wheel turns: the address is the last view's.
        moved = self.window.run(
            "(h => { for (let i = 0; i < 300; ++i) h.zoom([1e8 + i * 1e5, 9e8 + i * 1e5], false); return h.range; })(instrument.heatmap)"
        )
        self.window.run("new Promise(done => setTimeout(done, 300))")
        self.assertEqual(self.hash(), f"#z={moved[0] / 1e9:.9g},{moved[1] / 1e9:.9g}")
        self.assertEqual(self.window.errors(), [])
        self.window.run(f"instrument.heatmap.zoom({first}, true)")
        self.window.run("document.getElementById('latencies').focus()")
        self.key("w")
        second = self.window.run("instrument.heatmap.range")
        self.assertLess(second[1] - second[0], first[1] - first[0])
        self.key("d")
        third = self.window.run("instrument.heatmap.range")
        self.assertGreater(third[0], second[0])
        self.assertAlmostEqual(third[1] - third[0], second[1] - second[0], delta=1000)
        self.key("f")
        self.assertEqual(self.window.run("instrument.heatmap.range"), whole)
        self.window.run("instrument.state.set({ req: '3.144' })")
        hops = self.window.run("instrument.request.waterfall.range")
        self.window.run("document.querySelector('.waterfall').focus()")
        self.key("w")
        near = self.window.run("instrument.request.waterfall.range")
        self.assertAlmostEqual((near[1] - near[0]) / (hops[1] - hops[0]), 0.6, delta=0.01)
        self.assertIn("&w=", self.hash())
        self.key("Escape")
        self.assertEqual(self.window.run("instrument.request.waterfall.range"), hops)
        left, top, wide, _ = self.place("svg.bars")
        self.window.drag(left + wide * 0.25, top + 10, left + wide * 0.75)
        near = self.window.run("instrument.request.waterfall.range")
        self.assertAlmostEqual(near[0] / hops[1], 0.25, delta=0.02)
        self.assertAlmostEqual(near[1] / hops[1], 0.75, delta=0.02)

    def test_by_keyboard_alone(self):
        self.page()
        self.key("/")
        self.assertEqual(self.window.run("document.activeElement.id"), "where")
        self.window.send("Input.insertText", text="duration > 6ms")
        self.key("Enter")
        self.key("Escape")  # out of the field, and nowhere else
        self.assertIn("where=", self.hash())
        self.key("j")
        self.key("j")
        second = self.window.run("document.activeElement.textContent")
        self.assertEqual(second, self.window.run("instrument.data.id(instrument.requests.rows[1])"))
        self.key("Enter")
        self.assertIn(f"req={second}", self.hash())
        self.assertEqual(self.window.run("document.activeElement.id"), "request-title")
        self.key("j")
        self.assertEqual(
            self.window.run("instrument.request.open"),
            self.window.run("instrument.data.id(instrument.requests.rows[2])"),
        )
        self.key("Escape")
        self.assertEqual(self.window.run("document.activeElement.closest('table')?.className"), "requests")
        # A box by arrows.
        self.window.run("document.getElementById('latencies').focus()")
        for _ in range(12):
            self.key("ArrowUp")
        for _ in range(20):
            self.key("ArrowRight", shift=True)
        for _ in range(8):
            self.key("ArrowDown", shift=True)
        self.key("Enter")
        self.assertRegex(self.hash(), "t=.*d=")
        stops = self.window.run(
            "[...document.querySelectorAll('#instrument canvas, #instrument .waterfall, #instrument .scroller a[tabindex]')].every(e => e.tabIndex >= -1)"
        )
        self.assertTrue(stops)

    def test_a_link_opens_the_same_view(self):
        out = self.page()
        self.drag_box(0.3, 0.02, 0.6, 0.3)
        self.filter('duration > 3ms and path contains "/slow"')
        self.window.run(
            "[...document.querySelectorAll('table.requests thead button')].find(b => b.textContent === 'start').click()"
        )
        self.window.run("document.querySelector('table.requests tbody tr:not(.space) a').click()")
        self.window.run("instrument.request.waterfall.show([1e6, 2e6])")
        text = "document.querySelector('.panes').innerText + document.querySelector('#where').value + [...document.querySelectorAll('svg.bars rect')].map(r => r.getAttribute('x')).join()"
        before, fragment = self.window.run(text), self.hash()
        for part in ("t=", "d=", "where=", "sort=", "req=", "w=1,2"):
            self.assertIn(part, fragment)
        self.open(out, fragment)
        self.assertEqual(self.window.run(text), before)
        self.assertEqual(self.window.errors(), [])

    def test_links_that_name_nothing(self):
        out = self.page()
        for fragment in (
            "#req=99.99",
            "#where=%zz&t=a,b",
            "#t=5,1&d=,&z=1",
            "#answer=77",
            "#where=nonsense+==",
            "#sort=-nothing",
            "#w=1,2",
            "#%zz",
            "#route-1",
        ):
            with self.subTest(fragment):
                self.open(out, fragment)
                self.assertEqual(self.window.errors(), [])
                self.assertGreater(self.window.run("document.querySelectorAll('table.requests tbody tr').length"), 0)
        self.open(out, "#req=99.99")
        self.assertIn("99.99 is not on this page", self.window.run("document.querySelector('.request').innerText"))

    def test_links_of_ids_open_requests(self):
        self.page()
        ids = self.window.run(
            "[...document.querySelectorAll('a[href*=\"req=\"]')].map(a => new URLSearchParams(a.getAttribute('href').slice(1)).get('req'))"
        )
        self.assertGreater(len(ids), 10)
        self.assertEqual(self.window.run(f"{json.dumps(ids)}.filter(id => instrument.data.row(id) === null)"), [])
        self.window.run("document.querySelector('details.id a').click(); new Promise(done => setTimeout(done, 100))")
        self.assertFalse(self.window.run("document.querySelector('.request').hidden"))


if __name__ == "__main__":
    case.main()
