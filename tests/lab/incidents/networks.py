"""Names and small writes."""
import contextlib
import os
import pathlib
import subprocess
import threading

from incidents.stage import free_port, http_service

NAMES = """
import socket, sys, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
def answer(data, who):
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    name, question, kind = ".".join(labels), data[12 : at + 5], data[at + 2]
    wrong = name != "stock.internal"
    if wrong:
        time.sleep(float(sys.argv[1]))
    found = not wrong and kind == 1
    s.sendto(data[:2] + (b"\\x81\\x83" if wrong else b"\\x81\\x80") + b"\\0\\1\\0" + (b"\\1" if found else b"\\0") + b"\\0\\0\\0\\0" + question
             + (b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\x7f\\0\\0\\1" if found else b""), who)
while True:
    threading.Thread(target=answer, args=s.recvfrom(512), daemon=True).start()
"""
LOOKS_UP = http_service(
    """
if int(path.rpartition("/")[2] or 0) % 20 == 7:
    socket.getaddrinfo("stock.internal", 80, socket.AF_INET)
"""
)
BACKEND = http_service("return None")
# A client that writes the head and the body of a small request separately, on a connection that it keeps.
WRITES_TWICE = http_service(
    """
global s
if int(path.rpartition("/")[2]) % 10 == 7:
    if "s" not in globals():
        s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    s.sendall(b"POST /reserve HTTP/1.1\\r\\nHost: stock\\r\\n")
    s.sendall(b"Content-Length: 5\\r\\n\\r\\n")
    s.sendall(b"hello")
    got = b""
    while not got.endswith(b"ok"):
        got += s.recv(4096)
""",
    threads=False,
)


def search(stage):
    name = f"tcinc{os.getpid()}"
    etc = pathlib.Path("/etc/netns") / name
    etc.mkdir(parents=True)
    (etc / "resolv.conf").write_text("nameserver 127.0.0.1\nsearch prod.example svc.example\noptions ndots:3\n")
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        inside, port = ["ip", "netns", "exec", name], free_port()
        stage.start(*inside, "python3", stage.script("names.py", NAMES), "0.06")
        service = stage.start(*inside, "python3", stage.script("shop.py", LOOKS_UP), port)
        client = [*inside, "python3", "-c", CLIENT, port]
        subprocess.run([str(c) for c in [*client, "1", "0.5"]], check=True, timeout=30, stdout=subprocess.DEVNULL)
        with stage.recording(*stage.child_of(service)):
            done = subprocess.run(
                [str(c) for c in [*client, "40", "8"]], check=True, timeout=60, capture_output=True, text=True
            )
    finally:
        stage.stack.close()
        subprocess.run(["ip", "netns", "del", name], check=False)
        (etc / "resolv.conf").unlink()
        with contextlib.suppress(OSError):
            etc.rmdir()
    return {"hit": int(done.stdout.split()[-1]), "what": "the resolver tries two search domains, and each takes 60 ms"}


# Requests on schedule in another network: every 20th looks a name up. Prints how many of those took more than 100 ms.
CLIENT = """
import http.client, sys, threading, time
port, rate, seconds, slow = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), []
def ask(path):
    began = time.monotonic()
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.request("GET", path)
    c.getresponse().read()
    if time.monotonic() - began > 0.1:
        slow.append(path)
end = time.monotonic() + 15
while True:
    try:
        ask("/item/0")
        break
    except OSError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
slow.clear()
threads = []
for i in range(int(rate * seconds)):
    threads.append(threading.Thread(target=ask, args=(f"/item/{i}",)))
    threads[-1].start()
    time.sleep(1 / rate)
for t in threads:
    t.join()
print(sum(int(p.rpartition("/")[2]) % 20 == 7 for p in slow))
"""


def nagle(stage):
    port, backend = free_port(), free_port()
    stage.python("stock.py", BACKEND, backend, port=backend)
    service = stage.python("shop.py", WRITES_TWICE, port, backend, port=port)
    with stage.recording(service.pid):
        stage.load(port, ((30, "/item/#"),), 8)
    return {
        "hit": stage.slow("/item", 0.03),
        "what": f"Nagle's algorithm waits for a delayed ACK of 127.0.0.1:{backend}",
    }


# A server that writes head and body separately, and clients that keep their connections. One that asks again at once acknowledges the
# head late: Linux expects that it has something to send.
ANSWERS_TWICE = http_service("return b'stock of ' + path.encode()")
KEEPS = """
import http.client, sys, threading, time
port, seconds, slow = int(sys.argv[1]), float(sys.argv[2]), []
def client():
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=("127.0.0.9", 0))
    while time.monotonic() < until:
        at = time.monotonic()
        c.request("GET", "/stock/7")
        c.getresponse().read()
        if time.monotonic() - at > 0.03:
            slow.append(at)
        time.sleep(0.005)
until = time.monotonic() + seconds
threads = [threading.Thread(target=client) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(slow))
"""


def nagle_response(stage):
    port = free_port()
    service = stage.python("stock.py", ANSWERS_TWICE, port, port=port)
    with stage.recording(service.pid):
        done = subprocess.run(
            ["python3", "-c", KEEPS, str(port), "8"], check=True, timeout=60, capture_output=True, text=True
        )
    what = "stock.py writes head and body separately: Nagle's algorithm waits for a delayed ACK of 127.0.0.9"
    return {"hit": int(done.stdout), "what": what}
