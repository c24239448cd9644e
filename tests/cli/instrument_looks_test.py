#!/usr/bin/env python3
"""How the instrument of a page looks and reads: widths, colour schemes, without a script, hostile texts, accessibility.

    tests/cli/instrument_looks_test.py --build build/dev [unittest arguments]
"""
import time

import case
import instrument_page
import large_capture

SIZES = ((420, 900), (1000, 900), (1800, 1100))


class Looks(instrument_page.Instrument):
    # How it looks and reads.

    def test_every_width_in_both_schemes(self):
        self.addCleanup(self.window.resize, 1400, 1000)
        self.addCleanup(self.window.dark, False)
        out = self.page("go-stock")
        first = self.window.run("instrument.data.id(instrument.requests.rows[0])")
        for dark in (False, True):
            self.window.dark(dark)
            for size in SIZES:
                self.window.resize(*size)
                for fragment in ("", f"#req={first}", "#answer=1"):
                    with self.subTest(dark=dark, size=size, fragment=fragment):
                        self.open(out, fragment)
                        self.assertLessEqual(self.window.run("document.documentElement.scrollWidth"), size[0])
                        self.assertEqual(self.window.errors(), [])
                        wide = self.window.run("document.getElementById('latencies').getBoundingClientRect().width")
                        self.assertGreater(wide, min(size[0], 1100) * 0.6)
                        # The picture is drawn in colours of the scheme.
                        ink = self.window.run(
                            "(c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size)(document.getElementById('latencies'))"
                        )
                        self.assertGreater(ink, 10)

    def test_the_chart_has_a_table(self):
        self.page()
        self.window.run(
            "document.querySelector('.behind-chart').open = true; new Promise(done => setTimeout(done, 50))"
        )
        rows = self.window.run(
            "[...document.querySelectorAll('.behind-chart tbody tr')].map(r => Number(r.cells[1].textContent.replace(/,/g, '')))"
        )
        self.assertEqual(sum(rows), 800)

    def test_without_a_script(self):
        out = self.page()
        self.addCleanup(self.window.send, "Emulation.setScriptExecutionDisabled", value=False)
        self.window.send("Emulation.setScriptExecutionDisabled", value=True)
        self.window.events.clear()
        self.window.send("Page.navigate", url=f"file://{out}?plain")
        time.sleep(1)
        self.window.send("Emulation.setScriptExecutionDisabled", value=False)
        self.assertFalse(self.window.run("!!document.getElementById('instrument')"))
        self.assertTrue(self.window.run("document.querySelector('.verdicts').checkVisibility()"))
        self.assertGreater(self.window.run("document.querySelectorAll('section.part').length"), 0)
        self.assertTrue(
            self.window.run(
                "!document.body.innerText.includes(document.getElementById('data').textContent.slice(0, 40))"
            )
        )

    def test_hostile_texts_are_texts(self):
        (self.scratch / "text").write_text(large_capture.text())
        capture = self.scratch / "large.tcap"
        made = case.run(case.program("tests/synth/synth-capture"), self.scratch / "text", capture)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.page("large", capture=capture)
        self.assertEqual(self.window.errors(), [])
        self.window.run("document.querySelector('table.requests tbody tr:not(.space) a').click()")
        self.assertIn(large_capture.EVIL[:20], self.window.run("document.querySelector('#request-title').textContent"))
        self.filter(f'path contains "{large_capture.EVIL[:12]}"')
        self.assertEqual(len(self.shown()), large_capture.ROUTES * large_capture.REQUESTS)
        self.key("Escape")
        self.drag_box(0.1, 0.05, 0.6, 0.9)
        self.window.run("document.querySelector('.trait')?.click()")
        self.assertEqual(self.window.run("document.images.length"), 0)
        self.assertEqual(self.window.errors(), [])

    def test_axe_finds_nothing(self):
        source = case.of_npm("axe", "axe-core/axe.min.js")
        if not source:
            self.skipTest("npm cannot fetch axe-core")
        text = source.read_text()
        self.addCleanup(self.window.dark, False)
        for sample in ("lock-contention", "cut-short", "go-stock"):
            out = self.page(sample)
            first = self.window.run("instrument.data.id(instrument.requests.rows[0])")
            for dark in (False, True):
                self.window.dark(dark)
                for fragment in ("", "#answer=1", f"#req={first}", "#service=shop"):
                    with self.subTest(sample=sample, dark=dark, fragment=fragment):
                        self.open(out, fragment)
                        # Whatever is folded in the panes, too.
                        self.window.run(
                            "instrument.request.book.then(() => { for (const e of document.querySelectorAll('#instrument details')) e.open = true; }).then(() => new Promise(done => setTimeout(done, 100)))"
                        )
                        self.window.run(text + "; 0")
                        found = self.window.run(
                            "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200)).slice(0, 3)]))"
                        )
                        self.assertEqual(found, [])


if __name__ == "__main__":
    case.main()
