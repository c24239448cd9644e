"""MariaDB from an event loop: aiomysql and its pool. mysql_loop.py PORT STORE DRIVER"""
import aiomysql

from service import STORE, loop


async def prepare():
    global pool
    tester = dict(host="127.0.0.1", port=STORE, user="tester", password="PLANTED7777", db="test", autocommit=True)
    pool = await aiomysql.create_pool(minsize=4, maxsize=4, **tester)


async def work(mark, calls):
    async with pool.acquire() as c, c.cursor() as k:

        async def fails(sql, operation, resource, *values):
            try:
                await k.execute(sql, *values)
            except aiomysql.Error as e:
                calls.made(operation, resource, str(e.args[0]))

        await k.execute(f"SELECT 1 AS m_{mark}")
        calls.made("SELECT")
        await k.execute("INSERT INTO items VALUES (%s, %s)", (mark, None))
        calls.made("INSERT", "items")
        await k.execute("SELECT name FROM items WHERE id = %s", (mark,))
        assert await k.fetchone() == (None,)
        calls.made("SELECT", "items")
        await fails("INSERT INTO items VALUES (%s, 'again')", "INSERT", "items", (mark,))
        await fails("SELECT * FROM missing", "SELECT", "missing")
        await fails("SELEC 1", "SELEC", None)
        await k.executemany("INSERT INTO items VALUES (%s, %s)", [(f"{mark}m{i}", "many") for i in range(30)])
        calls.made("INSERT", "items")
        await c.begin()
        calls.made("BEGIN")
        await k.execute("DELETE FROM items WHERE id = %s", (mark,))
        calls.made("DELETE", "items")
        await c.rollback()
        calls.made("ROLLBACK")
        await k.execute("SELECT seq, repeat('x', 200) FROM seq_1_to_6000")
        assert len(await k.fetchall()) == 6000
        calls.made("SELECT", "seq_1_to_6000")
        await c.ping()
        calls.made("PING")
        await k.execute(f"SELECT 1 AS e_{mark}")
        calls.made("SELECT")


loop(prepare, work)
