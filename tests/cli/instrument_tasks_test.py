#!/usr/bin/env python3
"""What people come to a page for, done as they would: from the page alone, in at most five actions.

    tests/cli/instrument_tasks_test.py --build build/dev [unittest arguments]
"""
import case
import instrument_page

MOST = 5  # actions: a click, a key, a drag


class Tasks(instrument_page.Instrument):
    def setUp(self):
        super().setUp()
        self.actions = 0

    def act(self):
        self.actions += 1
        self.assertLessEqual(self.actions, MOST)

    def click(self, selector, text=""):
        """On what a person sees: the middle of an element that is in the window, after scrolling to it."""
        self.act()
        place = self.window.run(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect(); return [b.left + Math.min(b.width / 2, 60), b.top + b.height / 2]; }})"
            f"([...document.querySelectorAll({selector!r})].find(e => e.textContent.includes({text!r})))"
        )
        self.window.mouse("mousePressed", *place)
        self.window.mouse("mouseReleased", *place)
        self.window.run("new Promise(done => setTimeout(done, 100))")

    def text(self, selector):
        return self.window.run(f"document.querySelector({selector!r}).innerText")

    def test_the_root_of_a_slow_route(self):
        self.page()
        self.click(".answers a", "3.144")
        self.assertRegex(self.text(".behind li"), r"waiting for a lock .*GET /slow.* →\s+sleeping")

    def test_all_that_are_slow_for_the_same_reason(self):
        self.page()
        self.click(".answers button.choose")
        self.click(".trait", "waiting for a lock")
        self.key("Escape")
        self.act()  # the answer is no longer selected: others for the same reason are in the table, too
        locked = {
            r["id"]
            for r in self.rows()
            if sum(p["ns"] for p in r["labels"] or [] if p["label"].startswith("lock.")) * 2 > r["duration_ns"] > 4e6
        }
        self.assertTrue(locked)
        self.assertLessEqual(locked, self.shown())

    def test_a_request_and_its_twin(self):
        self.page("busy-machine")
        self.click("table.requests a", self.window.run("instrument.data.id(instrument.requests.rows[0])"))
        table = self.text("table.parts")
        self.assertRegex(table, r"reason\s+this\s+twin\s+difference")
        self.assertRegex(table, r"sleeping\s+[\d.]+ ms")
        twin = self.window.run("instrument.data.id(instrument.request.waterfall.groups[1].row)")
        self.click(".group-of-hops a", twin)
        self.assertEqual(self.hash(), f"#req={twin}")

    def test_which_client(self):
        self.page("slow-client")
        self.click(".answers button.choose")
        (slow,) = self.shown()
        self.click("table.requests a", slow)
        client = next(r["remote"] for r in self.rows() if r["id"] == slow)
        self.assertIn(f"client\n{client}", self.text("dl.facts"))

    def test_a_link_to_a_moment(self):
        out = self.page("busy-machine")
        self.drag_box(0.3, 0.02, 0.5, 0.35)
        self.act()
        link, seen = self.hash(), self.shown()
        self.assertTrue(0 < len(seen) < 1000)
        self.open(out, link)
        self.assertEqual(self.shown(), seen)


if __name__ == "__main__":
    case.main()
