"""Both ends of many connections on which credentials are sent, in one process: what a gate has to keep out of a capture.

usage: secrets_peer.py SEED CERTIFICATE KEY

Opens some connections, says "open", waits for a line, sends everything, writes the credentials one a line, says "done"."""
import json
import random
import socket
import ssl
import struct
import sys
import threading

SEED, CERTIFICATE, KEY = sys.argv[1:]
RANDOM = random.Random(SEED)
LETTERS = "abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS = (
    "Authorization",
    "COOKIE",
    "X-Auth-Token",
    "Private-Token",
    "Set-Cookie",
    "Proxy-Authorization",
    "X-Custom",
    "Referer",
    "DPoP",
)
planted = []


def secret():
    planted.append("s3cr3t" + "".join(RANDOM.choice(LETTERS) for _ in range(16)))
    return planted[-1]


def path_secret():
    planted.append("".join(RANDOM.choice("0123456789abcdef") for _ in range(48)))
    return planted[-1]


def pieces(data):
    """Cut anywhere, or not at all."""
    if RANDOM.random() < 0.4:
        return [data]
    cuts = sorted(RANDOM.randrange(1, len(data)) for _ in range(RANDOM.randrange(1, 5))) if len(data) > 1 else []
    return [data[a:b] for a, b in zip([0] + cuts, cuts + [len(data)])]


def pair():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    listener.close()
    for end in (client, server):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.settimeout(20)
    return client, server


def move(sender, receiver, data):
    for piece in pieces(data):
        sender.sendall(piece)
        left = len(piece)
        while left:
            left -= len(receiver.recv(left))


def exchange(client, server, question, answer):
    move(client, server, question)
    move(server, client, answer)


def fields(count=4):
    return "".join(f"{RANDOM.choice(HEADERS)}: Bearer {secret()}\r\n" for _ in range(count))


def token(letters, length):
    """As services make them."""
    planted.append("".join(RANDOM.choice(letters) for _ in range(length)))
    return planted[-1]


def target():
    """Places of credentials that are no values of parameters."""
    mixed = LETTERS + "0123456789"
    return RANDOM.choice(
        (
            lambda: f"/shop/confirm?{secret()}",
            lambda: f"/shop/confirm?n=1&{secret()}#{secret()}",
            lambda: f"/shop;{secret()}/items",
            lambda: f'/shop?{{"password":"{secret()}"}}',
            lambda: f"/shop?password:{secret()}",
            lambda: f"/shop/bot1234567890:{token(mixed + '_-', 35)}/send",
            lambda: f"/shop/services/T024BE7LD/B0HD7K2LM/{token(mixed, 24)}",
            lambda: f"/shop/{token('0123456789abcdef', 32)}",
            lambda: f"/shop/{token(mixed, 24)}{RANDOM.choice('~,%')}{token(mixed, 24)}",
            lambda: f"/shop/x-eyJ{secret()}.eyJ{secret()}.{secret()}",
        )
    )()


def plain(client, server):
    for _ in range(10):
        exchange(
            client,
            server,
            f"GET {target()} HTTP/1.1\r\nHost: {secret()}:{secret()}@h\r\n\r\n".encode(),
            b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
        )
    # A line without a colon, with an I/O that ends in it.
    word = secret()
    for piece in ("GET /shop HTTP/1.1\r\nHost: a\r\n" + word[:14], word[14:] + "\r\n\r\n"):
        client.sendall(piece.encode())
        server.recv(1 << 16)
    move(server, client, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def name_server():
    """Another protocol on the port of name servers, and what of theirs is no name and no address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.83.1.1", 53))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(server.getsockname())
    question = b"\4shop\7example\0\0\x10\0\1"
    for _ in range(10):
        for data in (
            f"token={secret()}".encode(),
            b"\0\7\1\0\0\1\0\0\0\0\0\1" + question + b"\0\0\x29\4\xd0\0\0\0\0\0\x16" + secret().encode(),
        ):
            client.send(data)
            address = server.recvfrom(1 << 16)[1]
        text = secret().encode()
        server.sendto(
            b"\0\7\x81\x80\0\1\0\1\0\0\0\0"
            + question
            + b"\xc0\x0c\0\x10\0\1\0\0\0\x3c"
            + struct.pack(">HB", len(text) + 1, len(text))
            + text,
            address,
        )
        client.recv(1 << 16)


def http1(method="POST", query=True):
    body = f"password={secret()}&again={secret()}\r\nCookie: {secret()}\r\n"
    target = f"/shop/{path_secret()}?token={secret()}&n=1" if query else "/shop"
    question = f"{method} {target} HTTP/1.1\r\nHost: user:{secret()}@example.com\r\n{fields()}Content-Length: {len(body)}\r\n\r\n{body}"
    chunk = f'{{"access_token": "{secret()}"}}'
    answer = (
        f"HTTP/1.1 200 OK\r\n{fields(2)}Transfer-Encoding: chunked\r\n\r\n{len(chunk):x};key={secret()}\r\n{chunk}\r\n"
        f"0\r\nX-Trailer: {secret()}\r\n\r\n"
    )
    return question.encode(), answer.encode()


def literal(name, value, index=True):
    return bytes([0x40 if index else 0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def call(stream, grpc):
    """A request and its response; metadata and messages with credentials."""

    def block(first):
        out = first + literal("content-type", "application/grpc" if grpc else "text/plain")
        for _ in range(4):
            out += literal(RANDOM.choice(HEADERS).lower(), secret(), RANDOM.random() < 0.5)
        return out

    def data(last):
        body = f"password={secret()}".encode()
        return frame(0, last, stream, (b"\0" + struct.pack(">I", len(body)) if grpc else b"") + body)

    path = f"/a.B/C?token={secret()}"
    return (
        frame(1, 4, stream, block(b"\x83\x86" + bytes([0x44, len(path)]) + path.encode())) + data(1),
        frame(1, 4, stream, block(b"\x88"))
        + data(0)
        + frame(1, 5, stream, literal("grpc-status", "0") + literal("x-trailer", secret())),
    )


def http2(client, server, calls):
    for i in range(calls):
        exchange(client, server, *call(2 * i + 1, i % 2 == 0))


def begin_http2(client, server):
    move(client, server, PREFACE + frame(4, 0, 0, b""))
    move(server, client, frame(4, 0, 0, b""))


def upgraded(client, server):
    question = f"GET /?t={secret()} HTTP/1.1\r\nHost: a\r\n{fields(2)}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + frame(4, 0, 0, b"")
    exchange(client, server, question.encode(), answer + call(1, False)[1])
    move(client, server, PREFACE + frame(4, 0, 0, b""))
    http2(client, server, 3)


def redis(client, server):
    word = secret()
    exchange(client, server, f"*2\r\n$4\r\nAUTH\r\n${len(word)}\r\n{word}\r\n".encode(), b"+OK\r\n")
    exchange(
        client, server, f"SET session {secret()}\r\nGET /{secret()}\r\n".encode(), f"$22\r\n{secret()}\r\n".encode()
    )


def postgresql(client, server):
    startup = struct.pack(">I", 196608) + f"user\0{secret()}\0\0".encode()
    exchange(client, server, struct.pack(">I", len(startup) + 4) + startup, b"R\0\0\0\x08\0\0\0\x03")
    word = secret().encode() + b"\0"
    exchange(client, server, b"p" + struct.pack(">I", len(word) + 4) + word, b"R\0\0\0\x08\0\0\0\0")
    query = f"SELECT * FROM cards WHERE pan='{secret()}'".encode() + b"\0"
    exchange(client, server, b"Q" + struct.pack(">I", len(query) + 4) + query, b"D\0\0\0\x20" + secret().encode())


def mysql(client, server):
    def packet(number, payload):
        return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload

    move(server, client, packet(0, b"\x0a8.0\0" + secret().encode()))
    exchange(client, server, packet(1, f"root\0{secret()}\0".encode()), packet(2, b"\0\0\0"))
    exchange(client, server, packet(0, f"\3SELECT '{secret()}'".encode()), packet(1, secret().encode()))


def smtp(client, server):
    move(server, client, b"220 mail ESMTP\r\n")
    exchange(client, server, f"EHLO x\r\nAUTH PLAIN {secret()}\r\n".encode(), b"235 ok\r\n")
    exchange(
        client,
        server,
        f"DATA\r\nGET / HTTP/1.1\r\nAuthorization: {secret()}\r\n\r\n{secret()}\r\n.\r\n".encode(),
        b"250 ok\r\n",
    )


def websocket(client, server):
    exchange(
        client,
        server,
        f"GET /ws?t={secret()} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {secret()}\r\n\r\n".encode(),
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    )
    for _ in range(4):
        exchange(
            client,
            server,
            b"\x81\x16" + secret().encode(),
            b"GET / HTTP/1.1\r\nHost: " + secret().encode() + b"\r\n\r\n",
        )


def evil(client, server):
    """A body that would have been taken for HTTP/2, and then other people's requests."""
    trick = PREFACE + b"\xff\xff\xff\x20" + b"\0" * 5
    move(client, server, f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(trick)}\r\n\r\n".encode())
    move(client, server, trick)
    move(server, client, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    for _ in range(4):
        exchange(client, server, *http1())


def over_tls():
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(CERTIFICATE, KEY)
    client_side = ssl.create_default_context()
    client_side.check_hostname, client_side.verify_mode = False, ssl.CERT_NONE
    client, server = pair()
    ends = {}
    thread = threading.Thread(target=lambda: ends.update(server=server_side.wrap_socket(server, server_side=True)))
    thread.start()
    client = client_side.wrap_socket(client)
    thread.join()
    return client, ends["server"]


def main():
    late = {"http1": pair(), "h2": pair(), "redis": pair(), "websocket": pair()}
    for name, act in (
        ("http1", lambda c, s: exchange(c, s, *http1())),
        ("h2", lambda c, s: (begin_http2(c, s), http2(c, s, 2))),
        ("redis", redis),
        ("websocket", websocket),
    ):
        act(*late[name])
    print("open", flush=True)
    sys.stdin.readline()
    for _ in range(6):
        # In the middle of a body, and then on.
        late["http1"][0].sendall(f"half a body\nAuthorization: {secret()}\r\n\r\n".encode())
        late["http1"][1].recv(1 << 16)
        exchange(*late["http1"], *http1())
        late["h2"][0].sendall(frame(0, 0, 1, f"x\nAuthorization: {secret()}\r\n\r\n".encode()))
        late["h2"][1].recv(1 << 16)
        http2(*late["h2"], 2)
        redis(*late["redis"])
        late["websocket"][0].sendall(secret().encode())
        late["websocket"][1].recv(1 << 16)
    for _ in range(8):
        connection = pair()
        for _ in range(3):
            exchange(*connection, *http1())
        exchange(*connection, *http1(query=False))
    for act in (redis, postgresql, mysql, smtp, websocket, evil, upgraded):
        for _ in range(3):
            act(*pair())
    for _ in range(5):
        connection = pair()
        begin_http2(*connection)
        http2(*connection, 6)
    for _ in range(12):
        plain(*pair())
    name_server()
    for _ in range(3):
        a, b = socket.socketpair()
        exchange(a, b, secret().encode(), f"password {secret()}\n".encode())
        exchange(a, b, *http1())
    for _ in range(4):
        tls = over_tls()
        exchange(*tls, *http1())
        exchange(*tls, *http1())
        for end in tls:
            end.close()
    print(json.dumps(planted), flush=True)


main()
