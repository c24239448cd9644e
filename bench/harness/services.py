"""Services as people run them: an application server with its database or cache, on one CPU; the load on the other."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from harness.go import build
from harness.nginx import Nginx, free_port, wait_for


class Service(Nginx):
    """Several programs, each recorded with its children. A subclass starts them; the last one answers."""

    path = "/"

    def __init__(self, folder, cpu, build):
        super().__init__(folder, cpu, build)
        self.programs, self.ports = [], [self.port]

    def __enter__(self):
        os.chmod(self.folder, 0o755)
        try:
            self.start_all()
        except BaseException:
            self.__exit__()
            raise
        self.worker = [program.pid for program in self.programs]
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.send_signal(signal.SIGINT)
            try:
                program.wait(timeout=10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self.programs = []

    def start(self, *command, port, user=None, **rest):
        if not shutil.which(command[0]):
            raise SystemExit(f"{command[0]} is not installed: scripts/install-packages bench")
        said = self.folder / f"{len(self.programs)}.log"
        with open(said, "w") as log:
            self.programs.append(
                subprocess.Popen(
                    ["taskset", "-c", str(self.cpu), *map(str, command)], stdout=log, stderr=log, user=user, **rest
                )
            )
        try:
            wait_for(port)
        except RuntimeError as problem:
            raise SystemExit(f"{problem}; {command[0]} says: {said.read_text()[-2000:]}") from None

    def own_port(self):
        self.ports.append(free_port())
        return self.ports[-1]


class Flask(Service):
    what = "gunicorn (one worker, four threads), Flask and PostgreSQL on CPU 0, wrk/load on CPU 1"
    path = "/orders/7"
    PROGRAM = """
import flask, psycopg2.pool
pool = psycopg2.pool.ThreadedConnectionPool(4, 4, host="127.0.0.1", port={database}, user="postgres", dbname="postgres")
app = flask.Flask(__name__)

@app.get("/orders/<int:number>")
def orders(number):
    connection = pool.getconn()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, item FROM orders WHERE customer = %s ORDER BY id LIMIT 20", (number,))
            rows = cursor.fetchall()
        connection.commit()
    finally:
        pool.putconn(connection)
    return flask.jsonify([{{"id": number, "item": item}} for number, item in rows])
"""
    TABLE = """CREATE TABLE orders AS SELECT id, id % 100 AS customer, repeat('x', 40) AS item FROM generate_series(1, 20000) id;
CREATE INDEX ON orders (customer); ANALYZE orders;"""

    def start_all(self):
        database, data = self.own_port(), self.folder / "database"
        programs = max(pathlib.Path("/usr/lib/postgresql").iterdir()) / "bin"
        data.mkdir(exist_ok=True)
        shutil.chown(data, "postgres")
        if not (data / "PG_VERSION").exists():
            subprocess.run(
                [programs / "initdb", "-D", data, "-A", "trust"], check=True, user="postgres", stdout=subprocess.DEVNULL
            )
        self.start(
            programs / "postgres",
            "-D",
            data,
            "-p",
            database,
            "-k",
            "",
            "-h",
            "127.0.0.1",
            port=database,
            user="postgres",
        )
        query = [programs / "psql", "-h", "127.0.0.1", "-p", str(database), "-U", "postgres", "-qc", self.TABLE]
        for _ in range(100):  # it listens before it answers
            if subprocess.run(query, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                break
            time.sleep(0.1)
        (self.folder / "orders.py").write_text(self.PROGRAM.format(database=database))
        address = ["-b", f"127.0.0.1:{self.port}"]
        self.start(
            "/usr/bin/gunicorn", "-w1", "--threads", "4", *address, "orders:app", port=self.port, cwd=self.folder
        )


class NodeRedis(Service):
    what = "node with express and Redis on CPU 0, wrk/load on CPU 1"
    path = "/carts/7"
    PROGRAM = """
const app = require("express")(), client = require("redis").createClient({url: "redis://127.0.0.1:" + process.argv[3]});
app.get("/carts/:number", async (request, response) => {
  const items = await client.lRange("cart:" + request.params.number, 0, 19);
  response.json(items.map((item) => JSON.parse(item)));
});
(async () => {
  await client.connect();
  await client.rPush("cart:7", Array.from({length: 20}, (_, id) => JSON.stringify({id, item: "x".repeat(40)})));
  app.listen(+process.argv[2], "127.0.0.1");
})();
"""

    def start_all(self):
        cache = self.own_port()
        self.start("redis-server", "--port", cache, "--bind", "127.0.0.1", "--save", "", port=cache, cwd=self.folder)
        program = self.folder / "carts.js"
        program.write_text(self.PROGRAM)
        self.start(
            "node", program, self.port, cache, port=self.port, env={**os.environ, "NODE_PATH": "/usr/share/nodejs"}
        )


class Php(Service):
    what = "nginx and php-fpm (four workers) on CPU 0, wrk/load on CPU 1"
    path = "/items.php"
    PROGRAM = """<?php header("Content-Type: application/json"); $all = [];
for ($id = 0; $id < 20; $id++) $all[] = ["id" => $id, "item" => str_repeat("x", 40)]; echo json_encode($all);
"""
    POOL = """[global]
error_log = {folder}/php.log
daemonize = no
[www]
user = www-data
listen = 127.0.0.1:{workers}
pm = static
pm.max_children = 4
"""
    FRONT = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; fastcgi_temp_path {folder}/fastcgi; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder};
    location ~ \\.php$ {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {folder}$fastcgi_script_name;
      fastcgi_pass 127.0.0.1:{workers}; }} }} }}
"""

    def start_all(self):
        workers = self.own_port()
        (self.folder / "items.php").write_text(self.PROGRAM)
        for name, text in (("pool.conf", self.POOL), ("front.conf", self.FRONT)):
            (self.folder / name).write_text(text.format(folder=self.folder, port=self.port, workers=workers))
        fpm = max(pathlib.Path("/usr/sbin").glob("php-fpm8.*"))
        self.start(fpm, "-y", self.folder / "pool.conf", port=workers)
        self.start("nginx", "-c", self.folder / "front.conf", "-e", self.folder / "error.log", port=self.port)


class Java(Service):
    what = "Java's HttpServer (eight threads) on CPU 0, wrk/load on CPU 1"
    path = "/items"
    PROGRAM = """
import com.sun.net.httpserver.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.*;

public class Items {
  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/items", exchange -> {
      StringJoiner all = new StringJoiner(",", "[", "]");
      for (int id = 0; id < 20; id++) all.add("{\\"id\\":" + id + ",\\"item\\":\\"" + "x".repeat(40) + "\\"}");
      byte[] answer = all.toString().getBytes();
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.start();
  }
}
"""

    def start_all(self):
        (self.folder / "Items.java").write_text(self.PROGRAM)
        subprocess.run(["javac", "Items.java"], cwd=self.folder, check=True)
        self.start("java", "-Dsun.net.httpserver.nodelay=true", "-cp", self.folder, "Items", self.port, port=self.port)


class GoJson(Service):
    what = "Go net/http with JSON of 6 kB on CPU 0, wrk/load on CPU 1"
    path = "/carts/7"
    PROGRAM = """
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/gomodule/redigo/redis"
)

type item struct {
	Number int
	Name   string
	Price  float64
	Tags   []string
}

func main() {
	count := func(string) (int, error) { return 7, nil }
	if len(os.Args) > 2 {
		pool := redis.Pool{MaxIdle: 32, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", os.Args[2]) }}
		count = func(cart string) (int, error) {
			connection := pool.Get()
			defer connection.Close()
			return redis.Int(connection.Do("INCR", cart))
		}
	}
	http.HandleFunc("/carts/", func(w http.ResponseWriter, r *http.Request) {
		number, err := count(r.URL.Path)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		items := make([]item, 64)
		for i := range items {
			items[i] = item{number, fmt.Sprint("item ", i), float64(i) / 7, []string{"new", "blue"}}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(items)
	})
	http.ListenAndServe(os.Args[1], nil)
}
"""

    def start_all(self):
        self.start_program()

    def start_program(self, *arguments):
        program = build(self.folder, self.PROGRAM)
        self.start(program, f"127.0.0.1:{self.port}", *arguments, port=self.port)


class GoRedis(GoJson):
    what = "Go net/http with JSON of 6 kB, and Redis, on CPU 0, wrk/load on CPU 1"

    def start_all(self):
        cache = self.own_port()
        self.start("redis-server", "--port", cache, "--bind", "127.0.0.1", "--save", "", port=cache, cwd=self.folder)
        self.start_program(f"127.0.0.1:{cache}")
