"""Holds everything that a capture claims about named requests against what both ends logged, also where events were lost.

Amounts are never asserted: a small ring loses what it loses. What is claimed has to be true:
  - a request without taints has all its fields, as they were, those aside that header compression hides; it starts after its client sent it and ends before its client
    had the answer, but for the moment at which a thread returns from a system call;
  - a named parent is the request for which the call was made, and a call for no request has none;
  - no request is invented, none appears twice at one end, and those that are missing are no more than `unseen_at_most`.
"""
import collections
import json

import harness

# A row's wall-clock time is computed from readings of two clocks; the test reads them again.
CLOCK_ERROR_NS = 1_000_000
# A send is stamped when it returns. On a busy machine its thread may wait for a CPU before that.
RETURN_NS = 250_000_000
OK_OR_LOST = (0, 3)


class End:
    """One end of a workload: the requests that the process `pid` serves or makes.

    expected: the fields of each request that has to be there, by name. others: names that may be there, too.
    """

    def __init__(self, pid, role, expected, others=()):
        self.pid, self.role, self.expected, self.others = pid, role, expected, set(others)


class Checker:
    """name(row): the request's name, None where the row does not say. served_for: by the name of a call, the request for
    which it was made; "" for none. at_once: requests that one send can carry, as many as are in flight on a connection.
    """

    def __init__(self, case, name, ends, served_for, asked, at_once):
        self.case, self.name, self.ends, self.served_for, self.asked = case, name, ends, served_for, asked
        self.at_once = at_once
        self.counts = collections.Counter()

    def check(self, recording):
        report = json.loads(self.case.tailcap("report", recording.file, "--json", code=(*OK_OR_LOST, 4)))
        rows = self.case.requests(recording, code=OK_OR_LOST)
        by_id = {row["id"]: row for row in rows}
        self.case.assertEqual(len(by_id), len(rows), "an id appears twice")
        offset = harness.realtime_offset()
        missing = 0
        for end in self.ends:
            mine = [row for row in rows if row["pid"] == end.pid and row["role"] == end.role]
            seen = self.rows_of(end, mine, by_id, offset)
            unnamed = sum(self.name(row) is None for row in mine)
            missing += max(0, sum(name not in seen for name in end.expected) - unnamed)
        # A send or receive that was lost counts once, however many requests were in it.
        self.case.assertLessEqual(
            missing,
            report["quality"]["unseen_at_most"] * self.at_once,
            "requests are missing that the report does not count",
        )
        self.counts["missing"] = missing
        self.counts["lost events"] = report["quality"]["lost"]
        return self.counts

    def rows_of(self, end, rows, by_id, offset):
        seen = set()
        for row in rows:
            name = self.name(row)
            if name is None:
                # With header compression a lost block leaves later fields unknown in requests that are whole themselves.
                compressed = row["complete"] and row["stream"] is not None
                self.case.assertTrue(row["tainted"] or compressed, f"without a name and without a taint: {row}")
                self.counts["unnamed"] += 1
                continue
            self.case.assertTrue(name in end.expected or name in end.others, f"no such request: {row}")
            self.case.assertNotIn(name, seen, f"twice: {row}")
            seen.add(name)
            self.counts["tainted" if row["tainted"] else "clean"] += 1
            if not row["tainted"] and name in end.expected:
                self.fields(row, end.expected[name])
                self.times(row, name, offset)
            if row["role"] == "client" and name in self.served_for:
                self.parent(row, by_id)
            if row["peer"] in by_id:
                peer = by_id[row["peer"]]
                self.case.assertIn(self.name(peer), (name, None), f"not the other end of {row}: {peer}")
                self.case.assertNotEqual(peer["role"], row["role"], row)
        return seen

    def fields(self, row, truth):
        self.case.assertTrue(row["complete"], row)
        for field, value in truth.items():
            if row[field] is None and row["stream"] is not None:
                self.counts["unknown fields"] += 1
            else:
                self.case.assertEqual(row[field], value, f"{field} of {row}")
        self.case.assertGreater(row["duration_ns"], 0, row)

    def times(self, row, name, offset):
        asked = self.asked.get(self.served_for.get(name) or name)
        if asked is None:
            return
        start = row["start_ns"] - offset
        self.case.assertGreaterEqual(start, asked["sent_ns"] - CLOCK_ERROR_NS, f"starts before {asked}: {row}")
        self.case.assertLessEqual(start, asked["done_ns"] + CLOCK_ERROR_NS, f"starts after {asked}: {row}")
        self.case.assertLessEqual(
            start + row["duration_ns"], asked["done_ns"] + RETURN_NS, f"ends after {asked}: {row}"
        )
        self.counts["timed"] += 1

    def parent(self, row, by_id):
        if row["parent"] is None:
            self.counts["parent unknown"] += 1
            return
        truth, parent = self.served_for[self.name(row)], by_id[row["parent"]]
        self.case.assertEqual(parent["pid"], row["pid"], row)
        if self.name(parent) is None and "fields_unknown" in parent["tainted"]:
            self.counts[
                "parent unnamed"
            ] += 1  # its connection is older than the recording: which request it was, is not known
            return
        self.case.assertEqual(self.name(parent), truth, f"not made for {parent}: {row}")
        self.counts["parent " + row["parent_confidence"]] += 1
