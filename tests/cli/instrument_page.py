"""What the tests of a page's instrument share: a page of a capture in a browser, and its panes from outside."""
import json
import unittest

import browser
import case


@unittest.skipUnless(browser.program(), "there is no Chromium: scripts/install-packages test installs it")
class Instrument(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.window = browser.Browser(1400, 1000)
        cls.addClassCleanup(cls.window.close)

    def page(self, sample="lock-contention", fragment="", capture=None):
        out = self.scratch / f"{sample}.html"
        self.capture = capture or case.SAMPLES / sample / f"{sample}.tcap"
        done = self.tailcap("report", self.capture, "-o", out)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.open(out, fragment)
        return out

    def open(self, out, fragment=""):
        self.window.open("/dev/null")  # a page that differs in its fragment only would not be loaded
        self.window.open(out, fragment)
        self.window.run(
            "new Promise(done => { const ask = () => 'ready' in document.documentElement.dataset ? done() : setTimeout(ask, 10); ask(); })"
        )

    def hash(self):
        """The address keeps up with what is moved or enlarged after a moment (State.least)."""
        return self.window.run("new Promise(done => setTimeout(() => done(location.hash), 250))")

    def key(self, key, shift=False):
        for kind in ("keyDown", "keyUp"):
            self.window.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                modifiers=8 if shift else 0,
                **(
                    {"text": key}
                    if kind == "keyDown" and len(key) == 1
                    else {"text": "\r"}
                    if kind == "keyDown" and key == "Enter"
                    else {}
                ),
            )

    def place(self, selector):
        """In the window: left, top, width, height."""
        self.window.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        return self.window.run(
            f"(b => [b.left, b.top, b.width, b.height])(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )

    def drag_box(self, left, top, right, bottom):
        """In shares of the chart of latencies."""
        x, y, width, height = self.place("#latencies")
        at = lambda a, b: (x + a * width, y + b * height)
        self.window.mouse("mousePressed", *at(left, top))
        for step in range(1, 5):
            self.window.mouse("mouseMoved", *at(left + (right - left) * step / 4, top + (bottom - top) * step / 4))
        self.window.mouse("mouseReleased", *at(right, bottom))

    def rows(self, *arguments):
        done = self.tailcap("requests", self.capture, "--json", *arguments)
        self.assertIn(done.returncode, (0, 3, 4), done.stderr)
        return [row for row in map(json.loads, done.stdout.splitlines()) if "id" in row]

    def shown(self):
        return set(self.window.run("instrument.requests.rows.map(r => instrument.data.id(r))"))

    def filter(self, text):
        self.window.run("document.getElementById('where').focus(); document.getElementById('where').select()")
        self.window.send("Input.insertText", text=text)
        self.key("Enter")

    def says(self):
        return self.window.run("document.getElementById('where-says').textContent")
