"""Messages of NATS between many processes: which request each delivery is of, and when a consumer's pull request has its answer. Truth: the
logs of the processes. Each message has a number, which is the size of its body."""
import os
import subprocess

import harness
from harness import json_lines
from messaging_test import Broker

WORKLOAD = r"""
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func log(facts map[string]any) {
	line, _ := json.Marshal(facts)
	fmt.Println(string(line))
}

var in = bufio.NewReader(os.Stdin)

func wait() {
	log(map[string]any{})
	in.ReadString('\n')
}

// Answers what it is asked, until its input ends.
func work(c *nats.Conn) {
	_, err := c.QueueSubscribe("stock.read", "workers", func(m *nats.Msg) {
		log(map[string]any{"number": len(m.Data)})
		time.Sleep(time.Millisecond)
		check(m.Respond([]byte("done")))
	})
	check(err)
	check(c.Flush())
	wait()
}

// Does it with 50 numbers, from five goroutines at a time; the first of them.
func fifty(first string, each func(number int)) int {
	from, err := strconv.Atoi(first)
	check(err)
	var all sync.WaitGroup
	for worker := 0; worker < 5; worker++ {
		all.Add(1)
		go func(worker int) {
			defer all.Done()
			for i := 0; i < 10; i++ {
				each(from + worker*10 + i)
			}
		}(worker)
	}
	all.Wait()
	return from
}

// Asks from several goroutines at a time on one connection.
func ask(c *nats.Conn, first string) {
	fifty(first, func(number int) {
		inbox := nats.NewInbox()
		answers, err := c.SubscribeSync(inbox)
		check(err)
		log(map[string]any{"number": number})
		check(c.PublishRequest("stock.read", inbox, make([]byte, number)))
		_, err = answers.NextMsg(5 * time.Second)
		check(err)
		check(answers.Unsubscribe())
	})
}

// Pulls messages that come some time after they are asked for, and once none.
func pull(c *nats.Conn) {
	js, err := c.JetStream()
	check(err)
	_, err = js.AddStream(&nats.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.*"}})
	check(err)
	sub, err := js.PullSubscribe("orders.*", "billing")
	check(err)
	for i, batch := range []int{1, 1, 3, 1, 2, 1} {
		go func(i, batch int) {
			time.Sleep(60 * time.Millisecond)
			for n := 0; n < batch; n++ {
				_, err := js.Publish("orders.new", []byte(strconv.Itoa(i)))
				check(err)
			}
		}(i, batch)
		began := time.Now()
		messages, err := sub.Fetch(batch, nats.MaxWait(2*time.Second))
		check(err)
		took := time.Since(began)
		got := len(messages)
		for _, m := range messages {
			check(m.AckSync())
		}
		for got < batch {
			messages, err = sub.Fetch(batch-got, nats.MaxWait(2*time.Second))
			check(err)
			got += len(messages)
			for _, m := range messages {
				check(m.AckSync())
			}
		}
		log(map[string]any{"took_ns": took.Nanoseconds(), "messages": batch})
	}
	began := time.Now()
	if _, err := sub.Fetch(1, nats.MaxWait(200*time.Millisecond)); err != nats.ErrTimeout {
		panic(err)
	}
	log(map[string]any{"took_ns": time.Since(began).Nanoseconds(), "messages": 0})
}

// Publishes to a stream from several goroutines at a time, on one connection; some of it without an answer.
func store(c *nats.Conn, first string) {
	js, err := c.JetStream()
	check(err)
	from := fifty(first, func(number int) {
		ack, err := js.Publish("parcels.new", make([]byte, number))
		check(err)
		log(map[string]any{"number": number, "sequence": ack.Sequence})
	})
	check(c.Publish("parcels.new", make([]byte, from+50)))
	check(c.Flush())
}

// Takes messages of a stream, each a second time.
func take(c *nats.Conn, name string) {
	js, err := c.JetStream()
	check(err)
	sub, err := js.PullSubscribe("parcels.*", name)
	check(err)
	wait()
	for {
		messages, err := sub.Fetch(1, nats.MaxWait(300*time.Millisecond))
		if err == nats.ErrTimeout {
			return
		}
		check(err)
		for _, m := range messages {
			about, err := m.Metadata()
			check(err)
			log(map[string]any{
				"number": len(m.Data), "sequence": about.Sequence.Stream, "times": about.NumDelivered,
			})
			if about.NumDelivered == 1 {
				check(m.Nak())
			} else {
				check(m.AckSync())
			}
		}
	}
}

// Makes a stream with messages in it.
func make_stream(c *nats.Conn) {
	js, err := c.JetStream()
	check(err)
	_, err = js.AddStream(&nats.StreamConfig{Name: "PARCELS", Subjects: []string{"parcels.*"}})
	check(err)
	for n := 0; n < 7; n++ {
		_, err := js.Publish("parcels.old", make([]byte, 200+n))
		check(err)
	}
}

func main() {
	wait()
	c, err := nats.Connect("nats://127.0.0.1:" + os.Args[1])
	check(err)
	switch os.Args[2] {
	case "work":
		work(c)
	case "ask":
		ask(c, os.Args[3])
	case "pull":
		pull(c)
	case "make":
		make_stream(c)
	case "store":
		store(c, os.Args[3])
	case "take":
		take(c, os.Args[3])
	}
	c.Close()
}
"""


class Deliveries(Broker):
    ALL = list(range(10, 160))  # small ones: what one read returns is seen whole
    LATER = 50_000_000  # ns: the messages of a pull request come 60 ms after it

    def setUp(self):
        super().setUp()
        source, self.program = self.scratch / "workload.go", self.scratch / "e2e-deliveries"
        source.write_text(WORKLOAD)
        go = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
        subprocess.run(["go", "build", "-o", self.program, source], check=True, timeout=120, env=go)
        store = self.scratch / "streams"
        self.server, self.port = self.serve("nats-server", "-a", "127.0.0.1", "-p", "PORT", "-js", "-sd", store)

    def client(self, *what):
        out = subprocess.Popen(
            [self.program, str(self.port), *what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(out.kill)
        self.assertEqual(out.stdout.readline(), "{}\n")  # it may be recorded, and waits
        return out

    @staticmethod
    def goes_on(process):
        process.stdin.write("\n")
        process.stdin.flush()

    def numbers(self, said):
        return [line["number"] for line in json_lines(said) if line]

    def test_requests_are_parents_of_deliveries(self):
        workers = [self.client("work") for _ in range(2)]
        askers = [self.client("ask", str(first)) for first in (10, 60, 110)]
        pids = [a for p in [self.server, *workers, *askers] for a in ("-p", p.pid)]
        with self.record(*pids) as recording:
            for w in workers:
                self.goes_on(w)
                self.assertEqual(w.stdout.readline(), "{}\n")  # it listens
            for a in askers:
                self.goes_on(a)
            told = {p.pid: self.numbers(p.communicate(timeout=60)[0]) for p in askers}
            told |= {w.pid: self.numbers(w.communicate("\n", timeout=60)[0]) for w in workers}
        self.assertEqual([sorted(n for p in part for n in told[p.pid]) for part in (askers, workers)], [self.ALL] * 2)
        rows = [r for r in self.requests(recording) if r["resource"] == "stock.read"]
        asked, got = self.by_number(rows, "REQUEST", "client"), self.by_number(rows, "DELIVER", "server")
        for found in (asked, got):  # each number is at the process that logged it
            self.assertEqual([n for n, r in found.items() if n not in told[r["pid"]]], [])
        by_id = {r["id"]: r for r in rows}
        for number in self.ALL:
            delivery, parent = by_id[got[number]["peer"]], asked[number]["peer"]
            self.assertEqual(
                [delivery[k] for k in ("pid", "parent", "parent_how", "parent_confidence")],
                [self.server.pid, parent, "message", "certain"],
            )

    def by_number(self, rows, operation, role):
        """The size of a message is that of its number and of what all have."""
        found = sorted(
            (r for r in rows if (r["operation"], r["role"]) == (operation, role)), key=lambda r: r["request_bytes"]
        )
        self.assertEqual(len({r["request_bytes"] for r in found}), len(self.ALL))
        self.assertEqual(len(found), len(self.ALL))
        return dict(zip(self.ALL, found))

    def test_publishers_are_parents_of_what_a_stream_hands_out(self):
        maker = self.client("make")
        maker.communicate("\n", timeout=60)
        consumers = [self.client("take", name) for name in ("billing", "post")]
        publishers = [self.client("store", str(first)) for first in (10, 70)]
        pids = [a for p in [self.server, *consumers, *publishers] for a in ("-p", p.pid)]
        with self.record(*pids) as recording:
            for c in consumers:
                self.goes_on(c)
                self.assertEqual(c.stdout.readline(), "{}\n")  # it may take messages
            told = {p.pid: [t for t in json_lines(p.communicate("\n", timeout=60)[0]) if t] for p in publishers}
            taken = {c.pid: [t for t in json_lines(c.communicate("\n", timeout=60)[0]) if t] for c in consumers}
        sequences = {t["number"]: t["sequence"] for p in publishers for t in told[p.pid]}
        self.assertEqual(len(sequences), 100)
        for c in consumers:  # what was there before, what nobody confirmed, and the rest: all of it twice
            self.assertEqual(len(taken[c.pid]), 2 * (7 + 2 + len(sequences)))
        rows = [r for r in self.requests(recording) if r["protocol"] == "nats"]
        by_id = {r["id"]: r for r in rows}
        # By the publisher's end: where the server reads a subject in two pieces, its own row hides it.
        sent = [r for r in rows if (r["resource"], r["operation"], r["role"]) == ("parcels.new", "REQUEST", "client")]
        stored = [by_id[r["peer"]] for r in sent]
        self.assertEqual(
            {(r["operation"], r["role"], r["pid"]) for r in stored}, {("REQUEST", "server", self.server.pid)}
        )
        self.assertEqual(len({r["id"] for r in stored}), len(sequences))
        parents = {}
        for c in consumers:
            got = [r for r in rows if (r["operation"], r["role"], r["pid"]) == ("DELIVER", "server", c.pid)]
            self.assertEqual(len(got), len(taken[c.pid]))
            for r, t in zip(sorted(got, key=lambda r: r["start_ns"]), taken[c.pid]):
                delivery = by_id[r["peer"]]
                self.assertEqual(delivery["pid"], self.server.pid)
                if t["number"] not in sequences:
                    self.assertIsNone(delivery["parent"], t)
                    continue
                self.assertEqual(sequences[t["number"]], t["sequence"])
                self.assertEqual([delivery[k] for k in ("parent_how", "parent_confidence")], ["message", "certain"], t)
                parents.setdefault(t["number"], set()).add(delivery["parent"])
        # Each number has one parent, which no other number has, and whose size is that of the number.
        self.assertEqual(sorted(parents), sorted(sequences))
        self.assertEqual({len(ids) for ids in parents.values()}, {1})
        rest = {by_id[id]["request_bytes"] - n - len(str(n)) for n, ids in parents.items() for id in ids}
        self.assertEqual(len(rest), 1, rest)
        self.assertEqual({id for ids in parents.values() for id in ids}, {r["id"] for r in stored})

    def test_pull_requests_end_with_their_first_message(self):
        consumer = self.client("pull")
        with self.record("-p", self.server.pid, "-p", consumer.pid) as recording:
            said, _ = consumer.communicate("\n", timeout=60)
            self.assertEqual(consumer.returncode, 0)
        truth = [t for t in json_lines(said) if t]
        rows = [r for r in self.requests(recording) if r["protocol"] == "nats"]
        for role in ("client", "server"):
            pulls = [r for r in rows if r["role"] == role and "MSG.NEXT" in (r["resource"] or "")]
            self.assertTrue(all(r["asked_to_wait"] and r["outcome"] == "ok" for r in pulls), pulls)
            # Those that asked for messages before these were there, and the last, to which none came.
            took = [r["duration_ns"] for r in pulls if r["duration_ns"] > self.LATER]
            self.assertEqual(len(took), len(truth))
            for ns, t in zip(took, truth):
                self.assertLess(ns, t["took_ns"] + 1_000_000)
                # The client's own part of a fetch is no part of the request.
                self.assertGreater(ns, t["took_ns"] - (5_000_000 if t["messages"] == 1 else 20_000_000))
        delivered = [r for r in rows if r["operation"] == "DELIVER" and r["role"] == "server"]
        self.assertEqual(len(delivered), sum(t["messages"] for t in truth))
        self.assertTrue(all(r["resource"] == "orders.new" and r["outcome"] == "ok" for r in delivered), delivered[:1])


if __name__ == "__main__":
    harness.main()
