"""TLS that begins late, and a service that calls it on a connection of its own for every request.

    slow_tls.py server CERTIFICATE KEY        prints two ports: behind the first, 50 ms pass before every handshake
    slow_tls.py caller SLOW FAST LOG          prints its port; GET /tls/1 calls SLOW, /tls/0 FAST, /strict/1 FAST with a
                                              certificate check that must fail (502), /strict/0 without; logs each request
"""
import json
import socket
import ssl
import sys
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\nfailed"


def heads(connection):
    """The heads of a connection's requests."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = connection.recv(8192)
            if not more:
                return
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        yield head.decode()


def serve(listener, act):
    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=act, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def secure(context, delay):
    def act(plain):
        time.sleep(delay)
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                for _ in heads(connection):
                    connection.sendall(ANSWER)
        except ssl.SSLError:
            plain.close()

    return act


def call(port, context):
    with socket.create_connection(("127.0.0.1", port)) as plain:
        begin = time.monotonic_ns()
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            took = time.monotonic_ns() - begin
            connection.sendall(b"GET /leaf HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(8192)
    return took


def main():
    what, *arguments = sys.argv[1:]
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [l.getsockname()[1] for l in listeners]
    if what == "server":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*arguments)
        serve(listeners[0], secure(context, 0.05))
        serve(listeners[1], secure(context, 0))
        print(*ports, flush=True)
        sys.stdin.read()
        return
    slow, fast, log = int(arguments[0]), int(arguments[1]), open(arguments[2], "w")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    strict = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
    writing = threading.Lock()

    def act(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for head in heads(connection):
            read, path = time.monotonic_ns(), head.split()[1]
            took, answer = 0, ANSWER
            try:
                if path != "/ok":
                    took = call(slow if path == "/tls/1" else fast, strict if path == "/strict/1" else context)
            except ssl.SSLError:
                answer = FAILED
            connection.sendall(answer)
            ids = [l.split(":", 1)[1].strip() for l in head.split("\r\n") if l.lower().startswith("x-request-id")]
            with writing:
                log.write(
                    json.dumps(
                        {
                            "id": ids[0] if ids else "",
                            "path": path,
                            "read_ns": read,
                            "injected_ns": took if path == "/tls/1" else 0,
                            "status": 200 if answer is ANSWER else 502,
                        }
                    )
                    + "\n"
                )

    serve(listeners[0], act)
    print(ports[0], flush=True)
    sys.stdin.read()
    log.flush()


if __name__ == "__main__":
    main()
