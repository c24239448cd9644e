#!/usr/bin/env python3
"""The pages of reports and of requests in a browser: nothing fails or is fetched, links lead somewhere, search, sorting and zoom work.

    tests/cli/page_test.py --build build/dev [unittest arguments]
"""
import re
import unittest

import browser
import case
import large_capture

# What is in a page, seen from outside of its script.
LINKS = "[...document.querySelectorAll('a')].map(a => [a.getAttribute('href'), a.textContent])"
SHOWN = "e => e.checkVisibility()"
# A state of the instrument leads to a request that the page has, everything else to an element.
LEADS = """(h => h[0] === '#' && (h.includes('=') ? instrument.data.row(new URLSearchParams(h.slice(1)).get('req')) !== null
    : document.getElementById(decodeURIComponent(h.slice(1))) !== null))"""


@unittest.skipUnless(browser.program(), "there is no Chromium: scripts/install-packages test installs it")
class Page(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.window = browser.Browser()
        cls.addClassCleanup(cls.window.close)

    def page(self, sample="lock-contention", *arguments):
        out = self.scratch / f"{sample}.html"
        capture = case.SAMPLES / sample / f"{sample}.tcap"
        done = self.tailcap(*(arguments or ("report",))[:1], capture, *arguments[1:], "-o", out)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.window.open(out)
        return out

    def assert_quiet(self, out):
        self.assertEqual(self.window.errors(), [])
        self.assertEqual(self.window.requested(), [f"file://{out}"])

    def test_pages_open_quietly_and_links_lead_somewhere(self):
        for sample in sorted(f.name for f in case.SAMPLES.iterdir() if f.is_dir()):
            with self.subTest(sample):
                out = self.page(sample)
                self.assert_quiet(out)
                links = self.window.run(LINKS)
                self.assertGreater(len(links), 8)
                dead = self.window.run(
                    f"[...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => !{LEADS}(h))"
                )
                self.assertEqual(dead, [])
                twice = self.window.run(
                    "(ids => ids.filter((id, i) => ids.indexOf(id) !== i))([...document.querySelectorAll('[id]')].map(e => e.id))"
                )
                self.assertEqual(twice, [])
                self.assertLess(out.stat().st_size, 2_000_000)

    def test_the_test_sees_what_is_wrong(self):
        """A page with an error, with a request and with a dead link is not taken for a good one."""
        out = self.page()
        text = out.read_text().replace(
            "</body>", '<img src="http://127.0.0.1:9/x.png"><a href="#nowhere">x</a><script>fail()</script></body>'
        )
        out.write_text(text)
        self.window.open(out)
        self.assertTrue(any("Content Security Policy" in e for e in self.window.errors()), self.window.errors())
        self.assertEqual(self.window.run("typeof fail"), "undefined")
        dead = self.window.run(
            f"[...document.querySelectorAll('a')].filter(a => !{LEADS}(a.getAttribute('href'))).length"
        )
        self.assertEqual(dead, 1)

    def test_the_answers_come_first(self):
        self.page("cut-short")
        order = self.window.run(
            "[...document.querySelectorAll('.verdict, .verdicts li, section.part, table')].map(e => e.tagName + '.' + e.className)"
        )
        self.assertEqual(order[0], "DIV.verdict alarm")
        self.assertTrue(order[1].startswith("LI."))
        bottom = self.window.run("document.querySelector('.verdicts').getBoundingClientRect().bottom + scrollY")
        self.assertLess(bottom, 2 * 1080)
        cards = self.window.run(
            "[...document.querySelectorAll('.verdicts li')].map(li => [li.querySelectorAll('.mark').length, li.querySelectorAll('a').length, !!li.querySelector('code')])"
        )
        for marks, links, command in cards:
            self.assertTrue(marks >= 1 and links >= 1 and command, cards)
        self.assertGreater(self.window.run("document.querySelectorAll('svg.strip rect.episode').length"), 0)

    def test_a_link_opens_what_is_folded(self):
        self.page()
        target = self.window.run(
            "[...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => h.startsWith('#request-') && !document.querySelector(CSS.escape ? '#' + CSS.escape(h.slice(1)) : h).open)[0]"
        )
        self.assertTrue(target)
        opened = f"document.getElementById('{target[1:]}').open"
        self.assertFalse(self.window.run(opened))
        self.window.run(f"document.querySelector('a[href=\"{target}\"]').click()")
        self.window.run("new Promise(done => setTimeout(done, 100))")
        self.assertTrue(self.window.run(opened))
        top = self.window.run(f"document.getElementById('{target[1:]}').getBoundingClientRect().top")
        self.assertTrue(0 <= top < 1080, top)
        self.assertGreater(
            self.window.run(
                f"document.querySelectorAll('#{target[1:].replace('.', chr(92) * 2 + '.')} svg.timed rect').length"
            ),
            3,
            "it has lanes",
        )

    def test_other_requests_show_their_command(self):
        self.page()
        first = "document.querySelector('details.id')"
        self.assertFalse(self.window.run(f"({SHOWN})({first}.querySelector('code'))"))
        self.window.run(f"{first}.querySelector('summary').click()")
        self.assertTrue(self.window.run(f"({SHOWN})({first}.querySelector('code'))"))
        words = self.window.run(f"{first}.querySelector('code').textContent").split()
        self.assertEqual(words[:3], ["tailcap", "show", "lock-contention.tcap"])
        done = self.tailcap("show", case.SAMPLES / "lock-contention/lock-contention.tcap", words[3])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_search(self):
        self.page("cut-short")
        shown = "[...document.querySelectorAll('section.part h3')].filter(h => h.getClientRects().length > 0).map(h => h.textContent)"
        all_routes = self.window.run(shown)
        self.assertGreater(len(all_routes), 5)
        self.window.run("document.getElementById('search').focus()")
        self.window.send("Input.insertText", text="POST ord")
        self.assertEqual(self.window.run(shown), ["POST /orders"])
        rows = self.window.run(
            "[...document.querySelectorAll('table.sortable tbody tr')].filter(r => !r.hidden).map(r => r.textContent)"
        )
        self.assertTrue(rows and all("/orders" in r for r in rows), rows)
        # A link to what is filtered out shows it.
        self.window.run("document.querySelector('a[href=\"#route-1\"]').click()")
        self.window.run("new Promise(done => setTimeout(done, 100))")
        self.assertTrue(self.window.run(f"({SHOWN})(document.getElementById('route-1'))"))
        self.window.run("(s => { s.value = ''; s.oninput(); })(document.getElementById('search'))")
        self.assertEqual(self.window.run(shown), all_routes)

    def test_sorting(self):
        self.page("cut-short")
        column = "[...document.querySelector('table.sortable').tBodies[0].rows].map(r => Number(r.cells[1].dataset.v))"
        click = "document.querySelector('table.sortable').tHead.rows[0].cells[1].querySelector('button').click()"
        before = self.window.run(column)
        self.assertNotEqual(before, sorted(before, reverse=True))
        self.window.run(click)
        self.assertEqual(self.window.run(column), sorted(before, reverse=True))
        self.window.run(click)
        self.assertEqual(self.window.run(column), sorted(before))

    def drag_over(self, chart):
        """From a quarter to a half of the plane of a drawing that is on the screen."""
        self.window.run(f"{chart}.scrollIntoView({{block: 'center'}})")
        x, width, y = self.window.run(
            f"(b => [b.left, b.width, b.top + b.height / 2])({chart}.querySelector('svg.plane').getBoundingClientRect())"
        )
        left, plane, whole = self.window.run(
            f"(c => [c.querySelector('.plane').x.baseVal.value, c.querySelector('.plane').width.baseVal.value, c.viewBox.baseVal.width])({chart})"
        )
        box = self.window.run(f"(b => [b.left, b.width])({chart}.getBoundingClientRect())")
        scale = box[1] / whole
        start = box[0] + left * scale
        self.window.drag(start + plane * scale / 4, y, start + plane * scale / 2)

    def test_zoom(self):
        self.page()
        routes = "document.querySelectorAll('svg.timed[data-axis=recording]')"
        self.assertGreaterEqual(self.window.run(f"{routes}.length"), 2)
        for chart, together in (
            (f"{routes}[0]", True),
            ("document.querySelector('details[open] svg.timed:not([data-axis])')", False),
        ):
            view = f"{chart}.querySelector('.plane').getAttribute('viewBox').split(' ').map(Number)"
            ticks = f"[...{chart}.querySelectorAll('.axis text')].map(t => t.textContent)"
            whole, before = self.window.run(view), self.window.run(ticks)
            self.drag_over(chart)
            at, _, wide, _ = self.window.run(view)
            self.assertAlmostEqual(at / whole[2], 0.25, delta=0.02)
            self.assertAlmostEqual(wide / whole[2], 0.25, delta=0.02)
            after = self.window.run(ticks)
            self.assertNotEqual(after, before)
            # The ticks say where the plane is.
            first, last = (float(re.sub(r"[^\d.−-]", "", t).replace("−", "-")) for t in (after[0], after[-1]))
            unit = {"s": 1e9, "ms": 1e6, "µs": 1e3}[after[0].split()[-1]]
            begin, end = self.window.run(f"[Number({chart}.dataset.from), Number({chart}.dataset.to)]")
            self.assertGreaterEqual(first * unit, begin + 0.22 * (end - begin))
            self.assertLessEqual(last * unit, begin + 0.53 * (end - begin))
            if together:
                self.assertEqual(
                    self.window.run(
                        f"new Set([...{routes}].map(c => c.querySelector('.plane').getAttribute('viewBox').split(' ')[0])).size"
                    ),
                    1,
                )
            button = f"{chart}.parentElement.querySelector('button.whole')"
            self.assertTrue(self.window.run(f"({SHOWN})({button})"))
            self.window.run(f"{button}.click()")
            self.assertEqual((self.window.run(view), self.window.run(ticks)), (whole, before))

    def test_values_under_the_mouse(self):
        self.page()
        for chart, word in (
            ("svg.timed[data-axis=recording] .hit", "median"),
            ("svg.chart:not(.timed) .hit", "longer than"),
            ("svg.strip .episode", "slow requests"),
            ("details[open] svg.timed .plane rect[fill]", "µs|ms"),
        ):
            with self.subTest(chart):
                self.window.run(f"document.querySelector('{chart}').scrollIntoView({{block: 'center'}})")
                x, y = self.window.run(
                    f"(b => [b.left + b.width / 2, b.top + b.height / 2])(document.querySelector('{chart}').getBoundingClientRect())"
                )
                self.window.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
                tip = self.window.run(
                    "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
                )
                self.assertRegex(tip, word)
                box = self.window.run(
                    "(b => [b.left, b.top, b.right, b.bottom])(document.getElementById('tip').getBoundingClientRect())"
                )
                self.assertTrue(0 <= box[0] and 0 <= box[1] and box[2] <= 1280 and box[3] <= 1080, box)

    def test_episodes_are_shaded(self):
        self.page()
        self.assertGreater(
            self.window.run("document.querySelectorAll('svg.timed[data-axis=recording] .episode').length"), 0
        )
        self.assertGreater(self.window.run("document.querySelectorAll('rect.episode.outline').length"), 0)

    def test_a_large_capture(self):
        """The page has an upper bound, says what it leaves out, and hostile strings are text in it."""
        (self.scratch / "text").write_text(large_capture.text())
        capture, out = self.scratch / "large.tcap", self.scratch / "large.html"
        made = case.run(case.program("tests/synth/synth-capture"), self.scratch / "text", capture)
        self.assertEqual(made.returncode, 0, made.stderr)
        done = self.tailcap("report", capture, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(out.stat().st_size, 2_000_000)
        self.assertIn("limited to 2 MB", out.read_text())
        self.window.open(out)
        self.assert_quiet(out)
        rows = self.window.run(
            "[...document.querySelector('table.sortable').tBodies[0].rows].map(r => [r.cells[0].textContent, Number(r.cells[1].dataset.v) / 1000])"
        )
        self.assertRegex(rows[-1][0], r"^other: \d+ routes$")
        self.assertEqual(
            sum(n for _, n in rows), large_capture.ROUTES * large_capture.REQUESTS, "no request is missing"
        )
        self.assertIn(large_capture.EVIL[:20], rows[0][0])
        self.assertEqual(self.window.run("document.images.length"), 0)
        self.window.run(
            "document.querySelector('table.sortable').tHead.rows[0].cells[0].querySelector('button').click()"
        )
        self.assertRegex(
            self.window.run("[...document.querySelector('table.sortable').tBodies[0].rows].at(-1).textContent"),
            "^other",
        )
        dead = self.window.run(
            f"[...document.querySelectorAll('a')].filter(a => !{LEADS}(a.getAttribute('href'))).map(a => a.href)"
        )
        self.assertEqual(dead, [])

    def test_narrow_windows(self):
        out = self.page()
        self.addCleanup(self.window.resize, 1280, 1080)
        self.window.resize(420, 900)
        self.assertLessEqual(self.window.run("document.documentElement.scrollWidth"), 420)
        self.assert_quiet(out)

    def test_a_request(self):
        out = self.page("lock-contention", "show", "3.144")
        self.assert_quiet(out)
        self.window.run(
            "new Promise(done => { const ask = () => 'ready' in document.documentElement.dataset ? done() : setTimeout(ask, 10); ask(); })"
        )
        self.window.run("document.getElementById('record-3.144').open = true")
        lanes = "document.querySelector('[id=\"record-3.144\"] svg.timed')"
        self.drag_over(lanes)
        self.assertTrue(self.window.run(f"{lanes}.classList.contains('zoomed')"))


if __name__ == "__main__":
    case.main()
