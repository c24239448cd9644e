"""A pool of workers that slow requests of another route fill."""
import threading

from incidents.stage import free_port

APP = """
import time
def app(environ, start):
    time.sleep(0.4 if environ["PATH_INFO"].startswith("/report") else 0.002)
    start("200 OK", [("content-length", "2")])
    return [b"ok"]
"""
PLAN = ((30, "/item/#"), (0.5, "/report/#"), (0.5, "/report/9#"))


def fpm(stage, unix=False):
    port, pool = free_port(), free_port()
    listen = f"{stage.folder}/fpm.socket" if unix else f"127.0.0.1:{pool}"
    stage.script(
        "index.php",
        "<?php usleep(strpos($_SERVER['REQUEST_URI'], '/report') === 0 ? 400000 : 2000); echo 'ok';",
    )
    conf = stage.script(
        "fpm.conf",
        f"[global]\nerror_log={stage.folder}/fpm.log\ndaemonize=no\n[www]\nlisten={listen}\nlisten.mode=0666\nuser=www-data\n"
        "group=www-data\npm=static\npm.max_children=2\n",
    )
    command = ["/usr/sbin/php-fpm8.2", "-y", conf]
    if unix:
        workers = stage.start(*command)
        stage.until(lambda: (stage.folder / "fpm.socket").exists(), "php-fpm")
    else:
        workers = stage.serve(*command, port=pool)
    conf = stage.script(
        "nginx.conf",
        f"""daemon off; worker_processes 1; pid {stage.folder}/nginx.pid; error_log {stage.folder}/nginx.log;
events {{ }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{
  include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {stage.folder}/index.php; fastcgi_pass {"unix:" if unix else ""}{listen}; }} }} }}
""",
    )
    proxy = stage.serve("/usr/sbin/nginx", "-c", conf, port=port)
    with stage.recording(*stage.child_of(proxy), *stage.child_of(workers)):
        stage.load(port, PLAN, 8)
    return {"hit": stage.slow("/item", 0.05), "what": "both workers of PHP-FPM are in GET /report/{}"}


def fpm_unix(stage):
    return fpm(stage, unix=True)


def gunicorn(stage):
    port = free_port()
    stage.script("app.py", APP)
    server = stage.serve(
        "/usr/bin/gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "app:app", port=port, cwd=stage.folder
    )
    with stage.recording(*stage.child_of(server)):
        stage.load(port, PLAN, 8)
    return {"hit": stage.slow("/item", 0.05), "what": "both sync workers of gunicorn are in GET /report/{}"}


BACKEND = """
const http = require("http");
http.createServer((q, r) => setTimeout(() => r.end("ok"), q.url.startsWith("/report") ? 300 : 2)).listen(+process.argv[2], "127.0.0.1");
"""
# Two sockets to the backend for all requests.
AGENT = """
const http = require("http"), agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
http.createServer((q, r) => http.get({ port: +process.argv[3], host: "127.0.0.1", path: q.url, agent }, a => { a.resume(); a.on("end", () => r.end("ok")); }))
  .listen(+process.argv[2], "127.0.0.1");
"""
EXECUTOR = """
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
public class Shop {
  public static void main(String[] a) throws Exception {
    HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(a[0])), 64);
    s.setExecutor(Executors.newFixedThreadPool(2));
    s.createContext("/", x -> {
      try { Thread.sleep(x.getRequestURI().getPath().startsWith("/report") ? 300 : 2); } catch (InterruptedException e) { }
      x.sendResponseHeaders(200, 2);
      x.getResponseBody().write("ok".getBytes());
      x.close();
    });
    s.start();
  }
}
"""


def node_agent(stage):
    port, backend = free_port(), free_port()
    stage.serve("node", stage.script("backend.js", BACKEND), backend, port=backend)
    service = stage.serve("node", stage.script("shop.js", AGENT), port, backend, port=port)
    with stage.recording(service.pid):
        stage.load(port, ((30, "/item/#"), (2, "/report/#"), (2, "/report/9#")), 8)
    return {"hit": stage.slow("/item", 0.05), "what": "GET /report/{} has both sockets of the agent"}


def executor(stage):
    port = free_port()
    service = stage.serve("java", stage.script("Shop.java", EXECUTOR), port, port=port)
    with stage.recording(service.pid):
        stage.load(port, ((30, "/item/#"), (2, "/report/#"), (2, "/report/9#")), 8)
    return {"hit": stage.slow("/item", 0.05), "what": "GET /report/{} has both threads of the executor"}


# The four threads of libuv's pool hash the passwords of ten logins at once; files are read by the same threads.
POOL = """
const http = require("http"), fs = require("fs"), crypto = require("crypto");
http.createServer((q, r) => {
  const end = b => { r.setHeader("content-length", b.length); r.end(b); };
  if (q.url.startsWith("/login")) crypto.pbkdf2("secret", "salt", 60000, 32, "sha512", (e, k) => end(Buffer.from(k.toString("hex"))));
  else fs.readFile(__filename, (e, b) => end(b));
}).listen(+process.argv[2], "127.0.0.1");
"""
# They compress exports.
ZIPS = """
const http = require("http"), fs = require("fs"), zlib = require("zlib"), much = Buffer.alloc(24 << 20, "x1y2z3");
http.createServer((q, r) => {
  const end = b => { r.setHeader("content-length", b.length); r.end(b); };
  if (q.url.startsWith("/export")) zlib.gzip(much, { level: 9 }, (e, b) => end(Buffer.from("done")));
  else fs.stat(__filename, (e, s) => end(Buffer.from("ok")));
}).listen(+process.argv[2], "127.0.0.1");
"""


def libuv(stage, text, path, method, every, at_once):
    port = free_port()
    service = stage.serve("node", stage.script("shop.js", text), port, port=port)

    def burst():
        calls = [threading.Thread(target=stage.call, args=(port, path, method)) for _ in range(at_once)]
        for call in calls:
            call.start()
        for call in calls:
            call.join()

    with stage.recording(service.pid), stage.again(every, burst):
        stage.load(port, ((60, "/item/#"),), 8)
    return {"hit": stage.slow("/item", 0.03), "what": f"all four threads of libuv's pool work for {method} {path}"}


def libuv_hash(stage):
    return libuv(stage, POOL, "/login", "POST", 1.5, 10)


def libuv_zip(stage):
    return libuv(stage, ZIPS, "/export", "GET", 1.5, 8)
