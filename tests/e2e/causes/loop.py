"""A service in an event loop (asyncio) that calls another one: loop.py MODE PORT OTHER-PORT LOG, as service.go describes it.

fresh: a connection for each call. kept: connections are used again. unlike: kept, and calls have names of their own, with
nothing in them of the request's.
"""
import asyncio
import itertools
import json
import sys

MODE, PORT, OTHER, LOG = (
    sys.argv[1],
    int(sys.argv[2]),
    int(sys.argv[3]),
    open(sys.argv[4], "w", buffering=1, encoding="utf-8"),
)
IDLE = []
NUMBERS = itertools.count(100_000)


def note(served, called):
    LOG.write(json.dumps({"served": served, "called": called}) + "\n")


async def call(name):
    reader, writer = IDLE.pop() if IDLE else await asyncio.open_connection("127.0.0.1", OTHER)
    writer.write(b"GET /leaf/%s HTTP/1.1\r\nHost: leaf\r\n\r\n" % name.encode())
    await reader.readuntil(b"\r\n\r\nok")
    if MODE != "fresh":
        IDLE.append((reader, writer))
    else:
        writer.close()


async def serve(reader, writer):
    while head := await reader.readline():
        await reader.readuntil(b"\r\n\r\n")
        served = head.split()[1].decode().rsplit("/", 1)[1]
        called = [f"n{next(NUMBERS)}" if MODE == "unlike" else f"{served}.{k}" for k in range(2)]
        await call(called[0])
        await call(called[1])
        note(served, called)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()


async def poll():
    n = 0
    while True:
        await asyncio.sleep(0.007)
        name = f"n{next(NUMBERS)}" if MODE == "unlike" else f"poll.{n}"
        note("", [name])
        await call(name)
        n += 1


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=256)
    await asyncio.gather(server.serve_forever(), poll())


asyncio.run(main())
