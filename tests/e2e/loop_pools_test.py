"""Requests of event loops that wait for a connection of a pool of asyncio: who made which call, and what they waited for, behind which
request, held against their service's own log."""
import re

import harness
from pool_case import PYTHON, PoolCase

# GET /hold/N has a connection for three statements; GET /each/N takes one for each of them. No statement says for which request it is.
# It writes down when each request had which connections, known by their local ports.
SERVICE = r"""
import asyncio, json, sys, time
port, store, driver, size = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
address = f"postgresql://postgres@127.0.0.1:{store}/postgres?sslmode=disable"
ports, ASKED = {}, "SELECT inet_client_port()"
async def prepare():
    global pool, connection, number
    if driver == "asyncpg":
        import asyncpg
        number = lambda c: c.get_server_pid()
        async def begun(c):
            ports[number(c)] = await c.fetchval(ASKED)
        pool = await asyncpg.create_pool(address, min_size=size, max_size=size, init=begun)
        connection = pool.acquire
    else:
        from psycopg_pool import AsyncConnectionPool
        number, plain = lambda c: c.info.backend_pid, {"prepare_threshold": None}
        async def begun(c):
            ports[number(c)] = (await (await c.execute(ASKED)).fetchone())[0]
            await c.commit()
        pool = AsyncConnectionPool(address, min_size=size, max_size=size, timeout=60, open=False, configure=begun, kwargs=plain)
        await pool.open(wait=True)
        connection = pool.connection
async def work(path):
    made = {"path": path, "asked": time.time_ns(), "uses": []}
    async def ask(c, text):
        use = [ports[number(c)], time.time_ns()]
        await c.execute(text)
        made["uses"].append(use + [time.time_ns()])
    seconds = 0.015 + int(path.rsplit("/", 1)[1]) % 7 * 0.003  # answers of several seldom come together
    statements = ["SELECT 1 AS begun", f"SELECT pg_sleep({seconds})", f"SELECT pg_sleep({seconds})"]
    if path.startswith("/each"):
        for text in statements:
            async with connection() as c:
                made.setdefault("had", time.time_ns())
                await ask(c, text)
    else:
        async with connection() as c:
            made["had"] = time.time_ns()
            for text in statements:
                await ask(c, text)
    made["gave"] = time.time_ns()
    made["connection"] = made["uses"][0][0]
    sys.stdout.write(json.dumps(made) + "\n")
    sys.stdout.flush()
async def serve(reader, writer):
    while head := await reader.readline():
        await reader.readuntil(b"\r\n\r\n")
        await work(head.split()[1].decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()
async def main():
    await prepare()
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=256)
    await server.serve_forever()
asyncio.run(main())
"""


class LoopPools(PoolCase):
    EACH = 12

    def python(self, driver):
        return [PYTHON, "-c", SERVICE, driver, self.SIZE]

    def links(self, truth):
        """How many of the statements that requests say they made have that request as parent, another one, none."""
        uses = sorted((port, begun, done, path) for path, l in truth.items() for port, begun, done in l["uses"])
        right = wrong = unknown = 0
        for row in self.by_id.values():
            if row["role"] != "client" or not re.fullmatch(
                r"SELECT (. AS begun|pg_sleep\(.\))", row["statement"] or ""
            ):
                continue
            port = int(row["local"].rsplit(":", 1)[1])
            of = {path for p, begun, done, path in uses if p == port and begun - 50_000 <= row["start_ns"] <= done}
            if len(of) != 1:
                continue
            parent = self.by_id.get(row["parent"])
            right += parent is not None and parent["path"] in of
            wrong += parent is not None and parent["path"] not in of
            unknown += parent is None
        # The first on an older connection is not seen.
        self.assertGreaterEqual(right + wrong + unknown, 3 * len(truth) - 2 * self.SIZE)
        return right, wrong, unknown

    def assert_linked(self, truth, least):
        right, wrong, unknown = self.links(truth)
        self.assertEqual(wrong, 0, (right, wrong, unknown))
        self.assertGreaterEqual(right, least * (right + unknown), (right, unknown))

    # On busy CPUs answers of several requests come together more often.
    def test_asyncpg(self):
        # It passes a connection on before its request is answered.
        truth = self.run_service("hold", self.python("asyncpg"))
        self.assert_linked(truth, 0.3)
        self.assert_waits(truth, 0.3, named=False)

    def test_psycopg3(self):
        truth = self.run_service("hold", self.python("psycopg3"))
        self.assert_linked(truth, 0.3)
        self.assert_waits(truth, 0.3, named=False)

    def test_each_statement_takes_a_connection(self):
        truth = self.run_service("each", self.python("asyncpg"))
        self.assert_linked(truth, 0)


if __name__ == "__main__":
    harness.main()
