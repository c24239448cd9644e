"""PostgreSQL from an event loop: asyncpg and its pool. pg_loop.py PORT STORE DRIVER"""
import asyncpg

from service import STORE, loop

ADDRESS = f"postgres://postgres@127.0.0.1:{STORE}/postgres"


async def prepare():
    global pool
    pool = await asyncpg.create_pool(ADDRESS, min_size=4, max_size=4, ssl=False)


async def work(mark, calls):
    async with pool.acquire() as c:
        await c.execute(f"SELECT 1 AS m_{mark}")
        calls.made("SELECT", rows=1)

        async def fails(sql, operation, resource, *values):
            try:
                await c.execute(sql, *values)
            except asyncpg.PostgresError as e:
                calls.made(operation, resource, e.sqlstate)

        assert await c.execute("INSERT INTO items VALUES ($1, $2)", mark, None) == "INSERT 0 1"
        calls.made("INSERT", "items", rows=1)
        assert await c.fetchval("SELECT name FROM items WHERE id = $1", mark) is None
        calls.made("SELECT", "items")  # it asks for one row at most
        await fails("INSERT INTO items VALUES ($1, $2)", "INSERT", "items", mark, "again")
        await fails("SELECT * FROM missing", "SELECT", "missing")
        await fails("SELEC 1", "SELEC", None)
        await c.executemany("INSERT INTO items VALUES ($1, $2)", [(f"{mark}m{i}", "many") for i in range(30)])
        for i in range(30):
            calls.made("INSERT", "items", rows=1)
        transaction = c.transaction()
        await transaction.start()
        calls.made("BEGIN")
        await c.execute("DELETE FROM items WHERE id = $1", mark)
        calls.made("DELETE", "items", rows=1)
        await transaction.rollback()
        calls.made("ROLLBACK")
        rows = await c.fetch("SELECT i, repeat('x', 200) FROM generate_series(1, 6000) i")
        assert len(rows) == 6000
        calls.made("SELECT", "generate_series", rows=6000)
        async with c.transaction():
            calls.made("BEGIN")
            cursor = await c.cursor("SELECT i FROM generate_series(1, 250) i")
            calls.made("SELECT", "generate_series")
            for n in (100, 100, 50):
                assert len(await cursor.fetch(100)) == n
                calls.made("FETCH")  # a portal that is suspended says no number
        calls.made("COMMIT")
        await c.copy_records_to_table("items", records=[(f"{mark}c{i}", "copied") for i in range(200)])
        calls.made("COPY", "items", rows=200)
        await c.execute(f"SELECT 1 AS e_{mark}")
        calls.made("SELECT", rows=1)


loop(prepare, work)
