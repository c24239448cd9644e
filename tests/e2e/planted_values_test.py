"""Values that real drivers send to real servers of all protocols of stores: literals, parameters, keys, payloads, passwords and names in
handshakes. None is in a capture or in what any command prints. Truth: each client's own list."""
import json
import os
import subprocess

import harness
from harness import json_lines
from messaging_test import Broker, listener_of
from stores_test import Store

# value() is a new word of 20 letters each time, which reads like none. The client writes all down.
VALUES = r"""
import json, random, sys
port, letters = int(sys.argv[1].rpartition(":")[2]), random.Random(sys.argv[2])
planted = []
def value():
    planted.append("".join(letters.choice("QXZJqxzjvwkW") for _ in range(20)))
    return planted[-1]
print("{}", flush=True)
sys.stdin.readline()
"""
END = "\nprint(json.dumps(planted), flush=True)\n"

REDIS = r"""
import redis
r = redis.Redis(port=port)
for i in range(25):
    for say in (lambda: r.execute_command("AUTH", value()), lambda: r.execute_command(value(), value())):
        try:
            say()
        except redis.RedisError:
            pass
    r.set(f"user:{value()}:cart", value())
    r.hset(value(), mapping={value(): value()})
    r.eval("return ARGV[1]", 1, value(), value())
    pipe = r.pipeline()
    pipe.set(f"session:{value()}", value(), ex=60)
    pipe.get("session:" + planted[-2])
    pipe.execute()
r.set("big", (value() + " ") * 3000)
r.get("big")
"""

MEMCACHED = r"""
from pymemcache.client.base import Client
c = Client(("127.0.0.1", port))
for i in range(50):
    key = f"user:{value()}:cart"
    c.set(key, value(), noreply=False)
    c.get(key)
    c.append(key, value(), noreply=False)
    c.get_many([value(), key])
"""

POSTGRESQL = r"""
import psycopg2
c = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", password=value(), sslmode="disable")
try:
    psycopg2.connect(host="127.0.0.1", port=port, user=value(), dbname=value(), sslmode="disable")
except psycopg2.Error:
    pass
c.autocommit = True
k = c.cursor()
k.execute("CREATE TABLE IF NOT EXISTS items (id serial, name text)")
for i in range(40):
    k.execute("INSERT INTO items (name) VALUES (%s)", (value(),))
    k.execute(f"SELECT id, $tag${value()}$tag$, E'a\\'{value()}' FROM items /* {value()} */ WHERE name = '{planted[-4]}' -- {value()}")
    k.fetchall()
    try:
        k.execute(f"SELECT '{value()}'::int")
    except psycopg2.Error:
        pass
k.execute("PREPARE find (text) AS SELECT * FROM items WHERE name = $1")
for i in range(10):
    k.execute(f"EXECUTE find ('{value()}')")
import io
k.copy_expert("COPY items (name) FROM STDIN", io.StringIO("".join(value() + "\n" for _ in range(20))))
out = io.StringIO()
k.copy_expert("COPY items TO STDOUT", out)
k.execute(f"SET application_name = '{value()}'")
"""

MYSQL = r"""
import pymysql
for password in (value(), value()):
    try:
        pymysql.connect(host="127.0.0.1", port=port, user=value(), password=password, database=value())
    except pymysql.Error:
        pass
c = pymysql.connect(host="127.0.0.1", port=port, user="tester", password="PLANTED7777", database="test", autocommit=True)
k = c.cursor()
k.execute("CREATE TABLE IF NOT EXISTS items (id int AUTO_INCREMENT PRIMARY KEY, name text)")
for i in range(40):
    k.execute("INSERT INTO items (name) VALUES (%s)", (value(),))
    k.execute(f'SELECT id, "{value()}", x\'00\', \'it\'\'s {value()}\' FROM items /* {value()} */ WHERE name = "{planted[-4]}" # {value()}')
    k.fetchall()
    try:
        k.execute(f"SELECT JSON_VALUE('{value()}', '$'), {i} FROM missing")
    except pymysql.Error:
        pass
k.execute(f"PREPARE find FROM 'SELECT * FROM items WHERE name = ?'")
for i in range(10):
    k.execute(f"SET @a = '{value()}'")
    k.execute("EXECUTE find USING @a")
"""

AMQP = r"""
import pika
try:
    pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, credentials=pika.PlainCredentials(value(), value())))
except Exception:
    pass
there = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0))
channel = there.channel()
channel.exchange_declare("shop.events", "topic")
for i in range(20):
    queue = value()
    channel.queue_declare(queue)
    channel.queue_bind(queue, "shop.events", f"order.{value()}.new", arguments={"match": value()})
    key = f"order.{planted[-2]}.new"
    facts = pika.BasicProperties(
        headers={"token": value()}, message_id=value(), correlation_id=value(), reply_to=value(), app_id=value())
    channel.basic_publish("shop.events", key, value().encode(), facts)
    channel.basic_publish("", queue, (value() * (400 if i % 5 == 0 else 1)).encode())
    channel.basic_get(queue, auto_ack=True)
    channel.basic_get(queue, auto_ack=True)
there.close()
"""

KAFKA = r"""
from confluent_kafka import Consumer, Producer
there = {"bootstrap.servers": sys.argv[1]}
producer = Producer({**there, "linger.ms": 0, "client.id": value()})
for i in range(50):
    producer.produce("shop-orders", value().encode(), key=value().encode(), headers={"token": value().encode()})
    producer.flush()
producer.produce("shop-orders", (value() * 400).encode())
producer.flush()
consumer = Consumer({**there, "group.id": value(), "auto.offset.reset": "earliest", "client.id": value(), "enable.auto.commit": False})
consumer.subscribe(["shop-orders"])
for i in range(51):
    assert consumer.poll(10).error() is None
consumer.close()
"""

NATS = r"""
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

var planted []string
var letters *rand.Rand

func value() string {
	word := make([]byte, 20)
	for i := range word {
		word[i] = "QXZJqxzjvwkW"[letters.Intn(12)]
	}
	planted = append(planted, string(word))
	return string(word)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	seed, _ := strconv.Atoi(os.Args[2])
	letters = rand.New(rand.NewSource(int64(seed)))
	fmt.Println("{}")
	bufio.NewReader(os.Stdin).ReadString('\n')
	url := "nats://127.0.0.1:" + os.Args[1]
	c, err := nats.Connect(url, nats.UserInfo(value(), value()), nats.Name(value()))
	check(err)
	js, err := c.JetStream()
	check(err)
	stream := value()
	_, err = js.AddStream(&nats.StreamConfig{Name: stream, Subjects: []string{"orders" + os.Args[2] + ".*"}})
	check(err)
	sub, err := js.PullSubscribe("orders"+os.Args[2]+".*", value())
	check(err)
	for i := 0; i < 30; i++ {
		subject := "stock." + value()
		listener, err := c.QueueSubscribe(subject, value(), func(m *nats.Msg) { m.Respond([]byte(planted[len(planted)-1])) })
		check(err)
		message := nats.NewMsg(subject)
		message.Header.Set("Token", value())
		message.Data = []byte(value())
		_, err = c.RequestMsg(message, time.Second)
		check(err)
		check(listener.Unsubscribe())
		_, err = js.Publish("orders"+os.Args[2]+"."+value(), []byte(value()), nats.MsgId(value()))
		check(err)
		messages, err := sub.Fetch(1, nats.MaxWait(time.Second))
		check(err)
		check(messages[0].AckSync())
	}
	c.Close()
	line, _ := json.Marshal(planted)
	fmt.Println(string(line))
}
"""

COMMANDS = (
    ["report"],
    ["report", "--full"],
    ["report", "--format", "md"],
    ["report", "--format", "html", "-o", "-"],
    ["report", "--json"],
    ["requests", "--json", "--headers"],
    ["requests"],
    ["events"],
    ["events", "--json"],
    ["spans"],
    ["topology"],
    ["topology", "--format", "dot"],
    ["tree"],
    ["timeline", "--json"],
    ["diag", "--json"],
    ["info"],
    ["query", "SELECT * FROM request"],
    ["export", "--format", "perfetto", "-o", "-"],
    ["export", "--format", "otlp-json", "-o", "-"],
    ["export", "--format", "openmetrics", "-o", "-"],
    ["export", "--format", "har", "-o", "-"],
    ["export", "--format", "loki", "-o", "-"],
    ["export", "--format", "pcapng", "-o", "-"],
    ["export", "--format", "clickhouse", "-o", "-"],
)


class PlantedValues(Broker, Store):
    BY_OTHER_NAMES = True

    def serve(self, *command, **rest):
        return Broker.serve(self, *command, **rest)

    def commands(self, protocol):
        """A server, and how its client begins."""
        if protocol == "redis":
            server, port = self.serve("redis-server", "--port", "PORT", "--save", "", "--dir", self.scratch)
        elif protocol == "memcached":
            server, port = self.serve("memcached", "-p", "PORT", "-l", "127.0.0.1", "-U", "0", "-u", "nobody")
        elif protocol == "postgresql":
            port = self.postgresql()
            return listener_of(port), port
        elif protocol == "mysql":
            server, port = self.mariadb()
        elif protocol == "nats":
            server, port = self.serve("nats-server", "-a", "127.0.0.1", "-p", "PORT", "-js", "-sd", self.scratch / "js")
        elif protocol == "amqp":
            return self.rabbitmq()
        else:
            return self.kafka()
        return server.pid, port

    def check_values(self, protocol, client, seed, least):
        pid, port = self.commands(protocol)
        if protocol == "nats":
            source, program = self.scratch / "values.go", self.scratch / "e2e-values"
            source.write_text(client)
            go = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
            subprocess.run(["go", "build", "-o", program, source], check=True, timeout=120, env=go)
            command = [program]
        else:
            command = ["/usr/bin/python3", "-c", VALUES + client + END]
        for how, raw in (("masked", ()), ("raw", ("--payload-raw",))):
            process = self.start(
                [*command, str(port), str(seed + len(raw))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self.assertEqual(process.stdout.readline(), "{}\n")
            with self.record("-p", pid, "-p", process.pid, *raw, name=f"{protocol}-{how}.tcap") as recording:
                said, _ = process.communicate("\n", timeout=60)
                self.assertEqual(process.returncode, 0)
            planted = json_lines(said)[-1]
            self.assertEqual(len(set(planted)), len(planted))
            plain = subprocess.run(["zstd", "-dcq", recording.file], capture_output=True, check=True).stdout
            if raw:  # otherwise the rest would prove nothing
                self.assertGreater(len(self.found(planted, plain)), least)
                continue
            self.assertGreater(len(planted), least)
            self.assertEqual(self.found(planted, recording.file.read_bytes(), plain), [])
            rows = [r for r in self.requests(recording) if r["protocol"] == protocol]
            self.assertGreater(len(rows), least / 4)
            for arguments in [*COMMANDS, *(["show", r["id"]] for r in rows[:: len(rows) // 5])]:
                command_line = [harness.BUILD / "analyze/tailcap", arguments[0], recording.file, *arguments[1:]]
                done = subprocess.run(command_line, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
                self.assertEqual((done.returncode, done.stdout != b""), (0, True), (arguments, done.stderr))
                self.assertEqual(self.found(planted, done.stdout, done.stderr), [], arguments)

    @staticmethod
    def found(planted, *texts):
        """Those of which more than half is in a text."""
        return [p for p in planted if any(p[i : i + 11].encode() in text for i in range(0, 10) for text in texts)]

    def test_redis(self):
        self.check_values("redis", REDIS, 1, 200)

    def test_memcached(self):
        self.check_values("memcached", MEMCACHED, 3, 150)

    def test_postgresql(self):
        self.check_values("postgresql", POSTGRESQL, 5, 150)

    def test_mysql(self):
        self.check_values("mysql", MYSQL, 7, 150)

    def test_nats(self):
        self.check_values("nats", NATS, 9, 150)

    def test_amqp(self):
        self.check_values("amqp", AMQP, 11, 150)

    def test_kafka(self):
        self.check_values("kafka", KAFKA, 13, 150)


if __name__ == "__main__":
    harness.main()
