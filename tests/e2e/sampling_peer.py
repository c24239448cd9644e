"""A server and a client whose connections are known one by one.

    sampling_peer.py serve WAY ADDRESS [CERTIFICATE KEY]     WAY: threads, or asyncio (with TLS: a library that works on memory)
    sampling_peer.py call ADDRESS LOG CONNECTIONS TLS|PLAIN  waits for a line on standard input; a line in LOG per request

ADDRESS is a port, for IPv4 and IPv6, or the path of a UNIX socket. Every fourth connection is closed after one request.
"""
import asyncio
import http.client
import http.server
import json
import random
import socket
import socketserver
import ssl
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"x" * int(self.path.rsplit("/", 1)[1])
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

    def address_string(self):
        return ""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 256

    def handle_error(self, request, address):
        pass


def serve_threads(address, tls):
    if address.isdigit():
        Server.address_family, where = socket.AF_INET6, ("::", int(address))
    else:
        Server.address_family, where = socket.AF_UNIX, address
    server = Server(where, Handler, bind_and_activate=False)
    if Server.address_family == socket.AF_INET6:
        server.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.server_bind()
    server.server_activate()
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


async def answer(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            size = int(head.split(b" ", 2)[1].rsplit(b"/", 1)[1])
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass
    writer.close()


async def serve_asyncio(address, tls):
    server = await asyncio.start_server(answer, None, int(address), ssl=tls, backlog=256)
    await server.serve_forever()


def connection_to(address, number, tls):
    if not address.isdigit():
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(address)
        return connection, [str(number), 0]
    host = ("127.0.0.1", "::1")[number % 2]
    if tls:
        connection = http.client.HTTPSConnection(host, int(address), context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection(host, int(address))
    connection.connect()
    return connection, list(connection.sock.getsockname()[:2])


def call(address, log, connections, tls):
    chance = random.Random(1)
    plans = [1 if number % 4 == 0 else chance.randint(2, 12) for number in range(connections)]
    lines, guard = [], threading.Lock()

    def work(numbers):
        for number in numbers:
            connection, local = connection_to(address, number, tls)
            for i in range(plans[number]):
                name = f"{number}-{i}"
                connection.request("GET", f"/item/{number * 7 % 300}", headers={"x-request-id": name})
                assert connection.getresponse().read() == b"x" * (number * 7 % 300)
                with guard:
                    lines.append({"id": name, "connection": number, "local": local})
            connection.close()

    threads = [threading.Thread(target=work, args=(range(first, connections, 8),)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(log, "w") as out:
        out.write("".join(json.dumps(line) + "\n" for line in lines))


def main():
    if sys.argv[1] == "serve":
        context = None
        if len(sys.argv) > 4:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[4], sys.argv[5])
        if sys.argv[2] == "threads":
            serve_threads(sys.argv[3], context)
        else:
            asyncio.run(serve_asyncio(sys.argv[3], context))
    else:
        sys.stdin.readline()
        call(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "TLS")
        print("done", flush=True)
        sys.stdin.readline()


main()
