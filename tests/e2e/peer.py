"""Ends of connections made by hand, for what no ordinary server or client does. Run as a process of its own:

    python3 peer.py serve PORT BEHAVIOUR     a server; one thread per connection
    python3 peer.py speak PORT BEHAVIOUR     a client

so that the recorder can be aimed at it. A server prints "ready"; a client ends when it is done.
"""
import ctypes
import os
import signal
import socket
import struct
import sys
import threading
import time


def head_of(connection, buffer=b""):
    """Reads one request head; returns it and what came behind it."""
    while b"\r\n\r\n" not in buffer:
        more = connection.recv(65536)
        if not more:
            return b"", b""
        buffer += more
    head, _, rest = buffer.partition(b"\r\n\r\n")
    return head, rest


def answer(body=b"hello", status=b"200 OK", more=b""):
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n" % len(body) + more + b"\r\n" + body


def request(name, method=b"GET", more=b"", body=b""):
    return method + b" /" + name + b" HTTP/1.1\r\nHost: h\r\nX-Request-Id: " + name + b"\r\n" + more + b"\r\n" + body


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# Servers: what one connection gets


def serve_in_order(connection):
    """Keep-alive and pipelining; a path with "slow" in it takes 50 ms."""
    rest = b""
    while True:
        head, rest = head_of(connection, rest)
        if not head:
            return
        if b"slow" in head.split(b"\r\n")[0]:
            time.sleep(0.05)
        connection.sendall(answer(head.split(b" ")[1]))


def serve_after_fin(connection):
    """Answers only when the client has finished writing."""
    everything = b""
    while more := connection.recv(65536):
        everything += more
    connection.sendall(answer(b"after the end"))


def serve_reset_in_body(connection):
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
    time.sleep(0.05)
    reset(connection)


def serve_until_close(connection):
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 12345)


def serve_in_many_writes(connection):
    head_of(connection)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n":
        connection.sendall(bytes([byte]))
    for byte in b"1234567":
        time.sleep(0.003)
        connection.sendall(bytes([byte]))


def serve_trailers(connection):
    head_of(connection)
    connection.sendall(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"5;name=value\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 21\r\n\r\n"
    )


def serve_websocket(connection):
    head_of(connection)
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    while more := connection.recv(65536):
        connection.sendall(more)


def serve_writev(connection):
    """1,024 pieces in one call."""
    head_of(connection)
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 1023\r\n\r\n"] + [b"z"] * 1023
    assert os.writev(connection.fileno(), pieces) == sum(map(len, pieces))


BODY = b"b" * 50_021  # in every form in which a kernel takes bytes


def serve_splice(connection):
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    reader, writer = os.pipe()
    left = BODY
    while left:
        moved = os.write(writer, left[:4096])
        left = left[moved:]
        while moved:
            moved -= os.splice(reader, connection.fileno(), moved)
    os.close(reader), os.close(writer)


def serve_sendfile(connection):
    head_of(connection)
    file = os.memfd_create("body")
    os.write(file, BODY)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY))
    at = 0
    while at < len(BODY):
        at += os.sendfile(connection.fileno(), file, at, len(BODY) - at)
    os.close(file)


def serve_zerocopy(connection):
    head_of(connection)
    connection.setsockopt(socket.SOL_SOCKET, 60, 1)  # SO_ZEROCOPY
    left = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    while left:
        left = left[connection.send(left, 0x4000000) :]  # MSG_ZEROCOPY


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("pieces", ctypes.POINTER(Piece)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_int),
        ("sent", ctypes.c_uint),
        ("more", ctypes.c_int),
    ]


def serve_sendmmsg(connection):
    """Three messages with one call."""
    head_of(connection)
    texts = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY), BODY[:20_000], BODY[20_000:]]
    messages = (Message * 3)()
    for message, text in zip(messages, texts):
        message.pieces, message.count = ctypes.pointer(Piece(text, len(text))), 1
    assert ctypes.CDLL(None).sendmmsg(connection.fileno(), messages, 3, 0) == 3
    assert sum(m.sent for m in messages) == sum(map(len, texts))


def serve_without_waiting(connection):
    """Non-blocking: EAGAIN before the request is there, partial writes after."""
    connection.setblocking(False)
    buffer = b""
    while b"\r\n\r\n" not in buffer:
        try:
            buffer += connection.recv(65536)
        except BlockingIOError:
            time.sleep(0.002)
    left = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (100 * len(BODY)) + 100 * BODY
    while left:
        try:
            left = left[connection.send(left) :]
        except BlockingIOError:
            time.sleep(0.002)


def serve_peeking(connection):
    """Looks at each request before it takes it."""
    while connection.recv(65536, socket.MSG_PEEK):
        head, _ = head_of(connection)
        connection.sendall(answer(head.split(b" ")[1]))


def serve_refusing_expectations(connection):
    """417 to who expects 100 Continue; the connection goes on."""
    rest = b""
    while True:
        head, rest = head_of(connection, rest)
        if not head:
            return
        connection.sendall(answer(b"", b"417 Expectation Failed") if b"Expect:" in head else answer())


def serve_too_large(connection):
    """Answers after the head, and reads no more."""
    connection.recv(1000)
    connection.sendall(answer(b"no", b"413 Content Too Large", b"Connection: close\r\n"))
    connection.shutdown(socket.SHUT_WR)
    time.sleep(0.2)


# Clients


def speak(connection, *messages):
    for message in messages:
        connection.sendall(message)


def finish(connection):
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass


def speak_pipelined(connection):
    speak(connection, request(b"first") + request(b"slow") + request(b"third"))
    finish(connection)


def speak_bytewise(connection):
    for byte in request(b"bytes", b"POST", b"Content-Length: 3\r\n", b"abc"):
        speak(connection, bytes([byte]))
    finish(connection)


def speak_once(connection):
    speak(connection, request(b"one"))
    finish(connection)


def speak_patiently(connection):
    """Does not finish writing before the answer is there."""
    speak(connection, request(b"one"))
    while connection.recv(65536):
        pass


def speak_impatiently(connection):
    """Goes away in the middle of the answer, without a goodbye."""
    speak(connection, request(b"one"))
    connection.recv(10)
    reset(connection)


def speak_websocket(connection):
    speak(connection, request(b"chat", more=b"Upgrade: websocket\r\nConnection: Upgrade\r\n"))
    connection.recv(65536)
    for _ in range(3):
        connection.sendall(b"\x81\x05GET /")
        connection.recv(65536)
    finish(connection)


def speak_idle(connection):
    """Waits between two requests on one connection: the wait belongs to neither."""
    speak(connection, request(b"one"))
    connection.recv(65536)
    time.sleep(0.4)
    speak(connection, request(b"two"))
    connection.recv(65536)


def speak_expecting(connection):
    """Two uploads that the peer refuses, and that do not happen."""
    expect = b"Expect: 100-continue\r\nContent-Length: 100000\r\n"
    for message in (request(b"one", b"PUT", expect), request(b"two"), request(b"three", b"PUT", expect)):
        connection.sendall(message)
        connection.recv(65536)


def speak_uploading(connection):
    """Sends until it is answered."""
    connection.sendall(request(b"large", b"PUT", b"Content-Length: 1000000000\r\n"))
    connection.setblocking(False)
    while True:
        try:
            connection.recv(65536)
            return
        except BlockingIOError:
            pass
        try:
            connection.send(b"u" * 20_000)
        except BlockingIOError:
            time.sleep(0.002)


# Process families: who owns a socket changes, the socket does not


def fork_bound():
    """fork, but the child ends with its parent: those that end the server know only that one."""
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    return pid


def serve_forking(listener):
    """Four children accept on one inherited socket."""
    for _ in range(3):
        if fork_bound() == 0:
            break
    while True:
        connection, _ = listener.accept()
        serve_in_order(connection)
        connection.close()


def serve_passing(listener):
    """One process accepts; another, to which the descriptor is passed, answers."""
    mine, its = socket.socketpair(socket.AF_UNIX)
    if fork_bound() == 0:
        while True:
            _, (passed,), _, _ = socket.recv_fds(its, 1, 1)
            with socket.socket(fileno=passed) as connection:
                serve_in_order(connection)
    while True:
        connection, _ = listener.accept()
        socket.send_fds(mine, [b"c"], [connection.fileno()])
        connection.close()


def serve_duplicating(listener):
    """Reads from one descriptor, writes to another, both of one socket, whose numbers are reused at once."""
    while True:
        connection, _ = listener.accept()
        other = connection.dup()
        head, _ = head_of(connection)
        connection.close()
        other.sendall(answer(head.split(b" ")[1]))
        other.close()


def serve(port, behaviour):
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    print("ready", flush=True)
    whole = globals()["serve_" + behaviour]
    if behaviour in ("forking", "passing", "duplicating"):
        whole(listener)

    def one(connection):
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                whole(connection)
            except OSError:
                pass  # the client went away, or we reset it

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=[connection], daemon=True).start()


def main():
    what, port, behaviour = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if what == "serve":
        serve(port, behaviour)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            globals()["speak_" + behaviour](connection)
        except OSError:
            pass


if __name__ == "__main__":
    main()
