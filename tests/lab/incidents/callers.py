"""One client that sends or reads slowly."""
import socket
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
