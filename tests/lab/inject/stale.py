"""A service that closes connections which are idle for 50 ms, and one that keeps connections to it longer than that.

    stale.py server            prints its port
    stale.py caller BELOW LOG  prints its port; GET /kept/1 sends on a connection to BELOW that was used 150 ms ago, or longer,
                               /kept/0 on a new one, /ok calls nothing; answers 502 where no answer comes; logs each request
"""
import collections
import json
import select
import socket
import sys
import threading
import time

from slow_tls import ANSWER, FAILED, heads, serve

IDLE, KEPT = 0.05, 0.15
CALL = b"GET /leaf HTTP/1.1\r\nHost: down\r\n\r\n"


def impatient(connection):
    with connection:
        while select.select([connection], [], [], IDLE)[0] and connection.recv(8192):
            connection.sendall(ANSWER)


def ask(connection):
    """False: no answer came."""
    try:
        connection.sendall(CALL)
        return connection.recv(8192) != b""
    except ConnectionError:
        return False


def keep(below, kept):
    """Opens and uses a connection every 10 ms; at most 200 are kept."""
    while True:
        connection = socket.create_connection(("127.0.0.1", below))
        ask(connection)
        kept.append((time.monotonic(), connection))
        while len(kept) > 200:
            kept.popleft()[1].close()
        time.sleep(0.01)


def call(below, kept, old):
    if not old:
        with socket.create_connection(("127.0.0.1", below)) as connection:
            return ask(connection)
    used, connection = kept.popleft()
    if time.monotonic() - used < KEPT:
        raise RuntimeError("no connection is old enough")
    with connection:
        return ask(connection)


def main():
    what, *arguments = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0))
    if what == "server":
        serve(listener, impatient)
        print(listener.getsockname()[1], flush=True)
        sys.stdin.read()
        return
    below, log, kept, writing = int(arguments[0]), open(arguments[1], "w"), collections.deque(), threading.Lock()
    threading.Thread(target=keep, args=(below, kept), daemon=True).start()
    time.sleep(0.5)

    def act(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for head in heads(connection):
            read, path = time.monotonic_ns(), head.split()[1]
            answered = path == "/ok" or call(below, kept, path == "/kept/1")
            connection.sendall(ANSWER if answered else FAILED)
            ids = [l.split(":", 1)[1].strip() for l in head.split("\r\n") if l.lower().startswith("x-request-id")]
            with writing:
                log.write(
                    json.dumps(
                        {
                            "id": ids[0] if ids else "",
                            "path": path,
                            "read_ns": read,
                            "injected_ns": 0,
                            "status": 200 if answered else 502,
                        }
                    )
                    + "\n"
                )

    serve(listener, act)
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    log.flush()


if __name__ == "__main__":
    main()
