"""Nothing is wrong."""
import threading
import time

from incidents.stage import free_port, http_service

BY_NATURE = http_service("time.sleep(0.12 if 'report' in path else 0.002)")
POLLS = http_service(
    """
if "poll" in path:
    globals().setdefault("bell", threading.Event()).wait(20 if "quiet" in path else 2)
else:
    time.sleep(0.002)
"""
)
COMPUTES = """
import time
def app(environ, start):
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        pass
    start("200 OK", [("content-length", "2")])
    return [b"ok"]
"""
LAZY = """
import time
def app(environ, start):
    import asyncio, concurrent.futures, ctypes, decimal, difflib, doctest, email.mime.multipart, fractions, http.server, imaplib
    import multiprocessing.managers, pydoc, sqlite3, unittest.mock, xml.dom.minidom, xmlrpc.server
    time.sleep(0.002)
    start("200 OK", [("content-length", "2")])
    return [b"ok"]
"""


def under_load(stage, program, load, seconds=8):
    """A service of this program, recorded while `load` is sent to it."""
    port = free_port()
    service = stage.python("shop.py", program, port, port=port)
    with stage.recording(service.pid):
        stage.load(port, load, seconds)


def by_nature(stage):
    under_load(stage, BY_NATURE, ((20, "/item/#"), (5, "/report/#")))
    return {"what": "every GET /report/{} sleeps 120 ms"}


def long_poll(stage):
    under_load(stage, POLLS, ((20, "/item/#"), (1, "/poll/quiet"), (2, "/poll/#")))
    return {"what": "GET /poll waits for news; most of /poll/quiet have none before the recording ends"}


def gunicorn(stage, program, workers):
    port = free_port()
    stage.script("app.py", program)
    return port, stage.serve(
        "/usr/bin/gunicorn", "-w", str(workers), "-b", f"127.0.0.1:{port}", "app:app", port=port, cwd=stage.folder
    )


def closed_loop(stage):
    port, server = gunicorn(stage, COMPUTES, 1)
    end = time.monotonic() + 9

    def client():
        while time.monotonic() < end:
            stage.call(port, "/item")

    with stage.recording(*stage.child_of(server)):
        clients = [threading.Thread(target=client, daemon=True) for _ in range(4)]
        for c in clients:
            c.start()
        for c in clients:
            c.join(30)
    return {"what": "four clients send as soon as they have an answer"}


def warm_up(stage):
    port, server = gunicorn(stage, LAZY, 2)
    time.sleep(1)
    with stage.recording(*stage.child_of(server)):
        stage.load(port, ((20, "/item/#"),), 8)
    return {"what": "the first request of each worker imports libraries"}


STREAMS = """
const http = require("http");
http.createServer((q, r) => {
  if (!q.url.startsWith("/events")) return setTimeout(() => r.end("ok"), 2);
  r.writeHead(200, { "content-type": "text/event-stream" });
  let n = 0;
  const timer = setInterval(() => { r.write("data: " + n + "\\n\\n"); if (++n == 12) { clearInterval(timer); r.end(); } }, 250);
}).listen(+process.argv[2], "127.0.0.1");
"""
BY_SIZE = http_service(
    "return bytes(random.choice((10, 20, 2000)) * 1000 * (1 + 0 * sum(range(int(path.rpartition('/')[2]) % 30 * 4000))))"
)


def streams(stage):
    port = free_port()
    service = stage.serve("node", stage.script("shop.js", STREAMS), port, port=port)
    with stage.recording(service.pid):
        stage.load(port, ((20, "/item/#"), (2, "/events/#")), 8)
    return {"what": "GET /events/{} sends an event every 250 ms, for 3 s"}


def lone(stage):
    under_load(stage, BY_NATURE, ((0.6, "/item/#"),), 9)
    return {"what": "a request every 1.7 s"}


def by_size(stage):
    under_load(stage, BY_SIZE, ((20, "/export/#"),))
    return {"what": "GET /export/{} takes as long as what it computes and sends is large"}
