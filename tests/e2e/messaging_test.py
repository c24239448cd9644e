"""Calls of message brokers: real brokers and clients. What the clients logged is what both ends of the capture hold, and no payload,
password or reply subject is in it."""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess

import harness
from harness import Case, answers, free_port, json_lines, wait_until

# Publishes, asks and answers, in one process with a connection for each part. Each line: role at the client, operation, subject, error.
NATS = r"""
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

var writing sync.Mutex

func made(role, operation, resource string, code any) {
	writing.Lock()
	defer writing.Unlock()
	outcome := "ok"
	if code != nil {
		outcome = "server_error"
	}
	line, _ := json.Marshal(map[string]any{"role": role, "operation": operation, "resource": resource, "error_code": code, "outcome": outcome})
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func connect() *nats.Conn {
	c, err := nats.Connect("nats://tester:PLANTED0000@127.0.0.1:" + os.Args[1])
	check(err)
	return c
}

func main() {
	in := bufio.NewReader(os.Stdin)
	wait := func() {
		fmt.Println("{}")
		in.ReadString('\n')
	}
	if os.Args[2] == "new" {
		wait()
	}
	worker, asker := connect(), connect()
	if os.Args[2] == "old" {
		wait()
	}
	_, err := worker.Subscribe("stock.read", func(m *nats.Msg) {
		made("server", "DELIVER", "stock.read", nil)
		time.Sleep(2 * time.Millisecond)
		check(m.Respond([]byte("PLANTED0001")))
	})
	check(err)
	made("client", "SUBSCRIBE", "stock.read", nil)
	got := make(chan bool)
	_, err = worker.Subscribe("orders.>", func(m *nats.Msg) {
		made("server", "DELIVER", "orders.new", nil)
		got <- true
	})
	check(err)
	made("client", "SUBSCRIBE", "orders.>", nil)
	check(worker.Flush())
	for i := 0; i < 50; i++ {
		check(asker.Publish("orders.new", []byte("PLANTED0002")))
		made("client", "PUBLISH", "orders.new", nil)
		<-got
	}
	for i := 0; i < 50; i++ {
		_, err := asker.Request("stock.read", []byte("PLANTED0003"), time.Second)
		check(err)
		if i == 0 {
			made("client", "SUBSCRIBE", "_INBOX", nil)
		}
		made("client", "REQUEST", "stock.read", nil)
	}
	if _, err := asker.Request("nobody.list", []byte("PLANTED0004"), time.Second); err != nats.ErrNoResponders {
		panic(err)
	}
	made("client", "REQUEST", "nobody.list", "503")
	big := make([]byte, 300000)
	for i := range big {
		big[i] = "PLANTED0005"[i%11]
	}
	check(asker.Publish("orders.new", big))
	made("client", "PUBLISH", "orders.new", nil)
	<-got
	asker.Close()
	worker.Close()
}
"""


LOG = r"""
import json, sys
def made(role, operation, resource, code=None, outcome=None):
    outcome = outcome or ("ok" if code is None else "client_error")
    print(json.dumps({"role": role, "operation": operation, "resource": resource, "error_code": code, "outcome": outcome}), flush=True)
"""

AMQP = (
    LOG
    + r"""
import time, pika
port, how = int(sys.argv[1]), sys.argv[2]
def connect():
    return pika.BlockingConnection(
        pika.ConnectionParameters("127.0.0.1", port, credentials=pika.PlainCredentials("guest", "guest"), heartbeat=0)
    )
def wait():
    print("{}", flush=True)
    sys.stdin.readline()
if how == "new":
    wait()
there, other = connect(), connect()
plain, sure, taker = there.channel(), there.channel(), other.channel()
if how == "old":
    wait()
plain.queue_declare("orders")
made("client", "QUEUE DECLARE", "orders")
plain.exchange_declare("shop.events", "topic")
made("client", "EXCHANGE DECLARE", "shop.events")
plain.queue_bind("orders", "shop.events", "order.*.new")
made("client", "QUEUE BIND", "orders/shop.events/order.*.new")
sure.confirm_delivery()
made("client", "CONFIRM SELECT", None)
for i in range(30):
    plain.basic_publish("", "orders", b"PLANTED0001", pika.BasicProperties(user_id="guest", headers={"token": "PLANTED0002"}))
    made("client", "PUBLISH", "orders")
    if i == 7:
        time.sleep(0.05)  # a read of the broker's that holds several messages shows the first and the last
    sure.basic_publish("shop.events", "order.PLANTED0003.new", b"PLANTED0004" * (30000 if i == 7 else 1))
    made("client", "PUBLISH", "shop.events/order.*.new")
try:
    sure.basic_publish("shop.events", "nobody", b"PLANTED0005", mandatory=True)
except pika.exceptions.UnroutableError:
    made("client", "PUBLISH", "shop.events/*", "NO_ROUTE")
taker.basic_qos(prefetch_count=2)
made("client", "QOS", None)
taken = 0
for method, _, _ in taker.consume("orders", inactivity_timeout=5):
    taken += 1
    resource = f"{method.exchange}/order.*.new" if method.exchange else "orders"
    if taken == 5:
        taker.basic_nack(method.delivery_tag, requeue=False)
        made("server", "DELIVER", resource, "NACK", "server_error")
    else:
        taker.basic_ack(method.delivery_tag)
        made("server", "DELIVER", resource)
    if taken == 60:
        break
made("client", "CONSUME", "orders")
taker.cancel()
made("client", "GET", "orders")
plain.basic_get("orders")
try:
    plain.queue_declare("missing", passive=True)
except pika.exceptions.ChannelClosedByBroker:
    made("client", "QUEUE DECLARE", "missing", "NOT_FOUND")
there.close()
other.close()
"""
)

# A broker of librdkafka, in memory. The first produce fails.
KAFKA_BROKER = r"""
import ctypes, sys
k = ctypes.CDLL("librdkafka.so.1")
for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
    getattr(k, name).restype = ctypes.c_void_p
k.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
said = ctypes.create_string_buffer(512)
rk = ctypes.c_void_p(k.rd_kafka_new(0, ctypes.c_void_p(k.rd_kafka_conf_new()), said, 512))
cluster = ctypes.c_void_p(k.rd_kafka_mock_cluster_new(rk, 1))
k.rd_kafka_mock_push_request_errors(cluster, ctypes.c_int(0), ctypes.c_size_t(1), ctypes.c_int(7))
print(k.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
sys.stdin.read()
"""

KAFKA = (
    LOG
    + r"""
from confluent_kafka import Consumer, Producer
there = {"bootstrap.servers": sys.argv[1]}
def wait():
    print("{}", flush=True)
    sys.stdin.readline()
how = sys.argv[2]
def made_with(acks):
    return Producer({**there, "linger.ms": 0, "acks": acks, "retry.backoff.ms": 10})
if how == "new":
    wait()
    producers = [(1, made_with(1)), (0, made_with(0))]
else:  # nothing answers what is produced without acknowledgements: it is not found in the middle of a connection
    producers = [(1, made_with(1))]
    producers[0][1].produce("shop-orders", b"PLANTED0000")
    producers[0][1].flush()
    wait()
for acks, producer in producers:
    for i in range(30):
        producer.produce("shop-orders", b"PLANTED0001", key=b"PLANTED0002", headers={"token": b"PLANTED0003"})
        producer.flush()
        if acks and i == 0 and how == "new":
            made("client", "PRODUCE", "shop-orders", "REQUEST_TIMED_OUT", "server_error")
        made("client", "PRODUCE", "shop-orders")
consumer = Consumer({**there, "group.id": "PLANTED0004" + how, "auto.offset.reset": "earliest", "enable.auto.commit": False})
consumer.subscribe(["shop-orders"])
taken = 0
while taken < 60:
    message = consumer.poll(10)
    assert message is not None and message.error() is None, message
    taken += 1
consumer.close()
"""
)


def counted(truth):
    return collections.Counter(
        tuple(t[k] for k in ("role", "operation", "resource", "error_code", "outcome")) for t in truth
    )


def listed(truth):
    return sorted(f"{n} {what}" for what, n in counted(truth).items())


def listener_of(port):
    """The process that listens there."""
    said = subprocess.run(["ss", "-Hltnp", f"sport = :{port}"], check=True, capture_output=True, text=True).stdout
    return int(re.search(r"pid=(\d+)", said)[1])


class Broker(Case):
    maxDiff = None

    def serve(self, *command, **rest):
        port = free_port()
        log = open(self.scratch / "server.log", "wb")
        self.addCleanup(log.close)
        if "env" in rest:
            rest["env"] = {k: str(port) if v == "PORT" else v for k, v in rest["env"].items()}
        process = self.start([str(c).replace("PORT", str(port)) for c in command], stdout=log, stderr=log, **rest)
        wait_until(lambda: answers(("127.0.0.1", port)), f"{command[0]} at {port}", 60)
        return process, port

    def rabbitmq(self):
        """A server; the process that listens, and its port."""
        home = self.scratch / "rabbitmq"
        home.mkdir()
        names = free_port()  # of Erlang's name server, which ends with the test
        self.start(["epmd", "-port", names, "-address", "127.0.0.1"])
        wait_until(lambda: answers(("127.0.0.1", names)), "epmd")
        server, port = self.serve(
            "/usr/lib/rabbitmq/bin/rabbitmq-server",
            env={
                **os.environ,
                "HOME": str(home),
                "ERL_EPMD_PORT": str(names),
                "RABBITMQ_NODENAME": f"tailcap{os.getpid()}@localhost",
                "RABBITMQ_MNESIA_BASE": str(home),
                "RABBITMQ_LOG_BASE": str(home),
                "RABBITMQ_DIST_PORT": str(free_port()),
                "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODE_PORT": "PORT",
                "RABBITMQ_PID_FILE": str(home / "pid"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            },
        )
        pid = listener_of(port)
        if pid != server.pid:
            self.addCleanup(os.kill, pid, signal.SIGKILL)
        return pid, port

    def kafka(self):
        """A broker in a process of its own; its pid and address."""
        broker = self.start(
            ["/usr/bin/python3", "-c", KAFKA_BROKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for pipe in (broker.stdin, broker.stdout):
            self.addCleanup(pipe.close)
        return broker.pid, broker.stdout.readline().strip()

    def check(self, protocol, pid, command, connections=1):
        """Connections that are recorded from their beginning, and ones that are older. Returns the calls of the former."""
        found = {}
        for how in ("new", "old"):
            client = self.start([*command, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.assertEqual(client.stdout.readline(), "{}\n")  # it may be recorded, and waits
            with self.record("-p", client.pid, "-p", pid, name=f"{how}.tcap") as recording:
                said, _ = client.communicate("\n", timeout=60)
                self.assertEqual(client.returncode, 0)
            found[how] = [r for r in self.requests(recording) if r["protocol"] == protocol]
            with self.subTest(how):
                self.compare(how, json_lines(said), found[how], connections)
                everything = self.tailcap("events", recording.file, "--json") + json.dumps(found[how])
                self.assertNotIn("PLANTED", everything)
        return found["new"]

    def compare(self, how, truth, rows, connections):
        """The client's end as it logged it, and the same at the broker's end, where the roles are exchanged."""
        told = {t["operation"] for t in truth}
        other = {"client": "server", "server": "client"}
        mine = [r for r in rows if r["operation"] in told and (r["role"] == "client") != (r["operation"] == "DELIVER")]
        theirs = [
            r for r in rows if r["operation"] in told and (r["role"] == "client") == (r["operation"] == "DELIVER")
        ]
        for seen in (mine, [{**r, "role": other[r["role"]]} for r in theirs]):
            if how == "new":
                self.assertEqual(listed(seen), listed(truth))
            else:  # nothing is made up, and a connection loses no more than a few calls
                known = {t["resource"] for t in truth}
                # A name or a key whose bytes came in two pieces is hidden whole.
                masked = [
                    {**r, "resource": None} for r in seen if r["resource"] in known or r["resource"].endswith("*")
                ]
                self.assertEqual(len(masked), len(seen))
                told = counted({**t, "resource": None} for t in truth)
                self.assertEqual(counted(masked) - told, collections.Counter())
                lost = told - counted(masked)
                self.assertLessEqual(lost.total(), 4 * connections, lost)
        if how == "old":
            return
        by_id = {r["id"]: r for r in rows}
        for r in mine:
            self.assertIn(r["peer"], by_id, r)
            peer = by_id[r["peer"]]
            self.assertEqual(
                (peer["operation"], peer["resource"], peer["role"]), (r["operation"], r["resource"], other[r["role"]])
            )


class Nats(Broker):
    def test_what_clients_asked(self):
        source, program = self.scratch / "client.go", self.scratch / "e2e-nats"
        source.write_text(NATS)
        go = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
        subprocess.run(["go", "build", "-o", program, source], check=True, timeout=120, env=go)
        server, port = self.serve(
            "nats-server", "-a", "127.0.0.1", "-p", "PORT", "--user", "tester", "--pass", "PLANTED0000"
        )
        rows = self.check("nats", server.pid, [program, port], connections=2)
        # A request lasts until its answer, a delivery that asks for an answer until that.
        for r in rows:
            if r["operation"] == "REQUEST" and r["error_code"] is None:
                self.assertGreaterEqual(r["duration_ns"], 2_000_000, r)
        worked = [
            r for r in rows if r["operation"] == "DELIVER" and r["resource"] == "stock.read" and r["role"] == "server"
        ]
        self.assertTrue(all(r["duration_ns"] >= 2_000_000 for r in worked), worked[:1])


class Amqp(Broker):
    def test_what_clients_asked(self):
        pid, port = self.rabbitmq()
        self.check("amqp", pid, ["/usr/bin/python3", "-c", AMQP, port], connections=2)


class Kafka(Broker):
    def test_what_clients_asked(self):
        pid, there = self.kafka()
        rows = self.check("kafka", pid, ["/usr/bin/python3", "-c", KAFKA, there])
        fetches = [r for r in rows if r["operation"] == "FETCH" and r["role"] == "client"]
        self.assertTrue(any(r["resource"] == "shop-orders" for r in fetches), fetches[:2])
        self.assertTrue(all(r["asked_to_wait"] for r in fetches))


if __name__ == "__main__":
    harness.main()
