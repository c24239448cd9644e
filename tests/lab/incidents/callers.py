"""One client that sends or reads slowly."""
import socket
import subprocess
import time

from incidents.stage import free_port, http_service

SERVICE = http_service(
    """
time.sleep(0.002)
if "/export" in path:
    return bytes(400_000 if client == "127.0.0.9" else 2_000)
"""
)


def uploads(port):
    with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.9", 0)) as s:
        s.sendall(b"POST /photo HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\nConnection: close\r\n\r\n")
        for _ in range(8):
            time.sleep(0.05)
            s.sendall(bytes(5000))
        s.recv(4096)


def reads(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.bind(("127.0.0.9", 0))
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET /export HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        left = 400_000
        while left > 0 and (data := s.recv(16_384)):
            left -= len(data)
            time.sleep(0.02)


def served(stage, path, slow):
    port, count = free_port(), 0
    service = stage.python("shop.py", SERVICE, port, port=port)

    def once():
        nonlocal count
        slow(port)
        count += 1

    with stage.recording(service.pid), stage.again(0.4, once):
        stage.load(port, ((30, path), (10, "/item/#")), 8)
    return {"hit": count, "what": "the client 127.0.0.9 is slow"}


def upload(stage):
    return served(stage, "POST /photo", uploads)


def reader(stage):
    return served(stage, "/export", reads)


# More than the sockets' buffers take: the service waits.
LARGE = http_service(
    """
time.sleep(0.002)
if "/export" in path:
    return bytes(12_000_000 if client == "127.0.0.9" else 2_000)
"""
)


def reads_much(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        s.bind(("127.0.0.9", 0))
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET /export HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        left = 12_000_000
        while left > 0 and (data := s.recv(400_000)):
            left -= len(data)
            time.sleep(0.002)


def blocks(stage):
    port, count = free_port(), 0
    service = stage.python("shop.py", LARGE, port, port=port)

    def once():
        nonlocal count
        reads_much(port)
        count += 1

    with stage.recording(service.pid), stage.again(0.3, once):
        stage.load(port, ((30, "/export"), (10, "/item/#")), 8)
    return {"hit": count, "what": "the client 127.0.0.9 reads 12 MB slowly"}


def curl(stage):
    """A file of nginx that curl takes at 8 MB a second."""
    port, count = free_port(), 0
    (stage.folder / "export").mkdir()
    (stage.folder / "export/1").write_bytes(bytes(8_000_000))
    (stage.folder / "export/2").write_bytes(bytes(2_000))
    (stage.folder / "item").write_bytes(bytes(2_000))
    conf = stage.script(
        "nginx.conf",
        f"""daemon off; worker_processes 1; pid {stage.folder}/nginx.pid; error_log {stage.folder}/nginx.log; user root;
events {{ }}
http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {stage.folder}; }} }}
""",
    )
    proxy = stage.serve("/usr/sbin/nginx", "-c", conf, port=port)
    url = f"http://127.0.0.1:{port}/export/1"

    def once():
        nonlocal count
        command = ["curl", "-s", "--interface", "127.0.0.9", "--limit-rate", "8M", "-o", "/dev/null", url]
        subprocess.run(command, check=True, timeout=20)
        count += 1

    with stage.recording(*stage.child_of(proxy)), stage.again(0.3, once):
        stage.load(port, ((10, "/export/2"), (30, "/item")), 8)
    return {"hit": count, "what": "the client 127.0.0.9 (curl --limit-rate) reads slowly"}


# Both ends are recorded: the answer goes on with what the reader did.
READER = """
import socket, sys, time
while True:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
        s.sendall(b"GET /export HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
        while s.recv(400_000):
            time.sleep(0.004)
    time.sleep(0.3)
"""


def recorded(stage):
    port = free_port()
    service = stage.python("shop.py", LARGE.replace('client == "127.0.0.9"', 'client == "127.0.0.1"'), port, port=port)
    reader = stage.python("mirror.py", READER.replace("\\\\", "\\"), port)
    with stage.recording(service.pid, reader.pid):
        stage.load(port, ((30, "/item/#"),), 8)
    return {"what": "mirror.py sleeps between its reads of 12 MB"}
