"""PostgreSQL from threads: psycopg2 and psycopg 3, each with its pool. pg_threads.py PORT STORE DRIVER"""
import io

from service import DRIVER, STORE, threads

ADDRESS = f"host=127.0.0.1 port={STORE} user=postgres dbname=postgres sslmode={'require' if DRIVER.endswith('-tls') else 'disable'}"

if DRIVER.startswith("psycopg2"):
    import psycopg2
    import psycopg2.pool
    import threading

    Error = psycopg2.Error
    code_of = lambda e: e.pgcode
    free = threading.Semaphore(4)
    pool = psycopg2.pool.ThreadedConnectionPool(4, 4, ADDRESS)
else:
    import psycopg
    from psycopg_pool import ConnectionPool

    Error = psycopg.Error
    code_of = lambda e: e.sqlstate
    pool = ConnectionPool(ADDRESS, min_size=4, max_size=4, timeout=120)


class Borrowed:
    def __enter__(self):
        if DRIVER.startswith("psycopg2"):
            free.acquire()
        self.connection = pool.getconn()
        self.connection.autocommit = True
        return self.connection

    def __exit__(self, *_):
        pool.putconn(self.connection)
        if DRIVER.startswith("psycopg2"):
            free.release()


def common(k, mark, calls):
    def fails(sql, operation, resource, *values):
        try:
            k.execute(sql, *values)
        except Error as e:
            calls.made(operation, resource, code_of(e))

    k.execute("INSERT INTO items VALUES (%s, %s)", (mark, None))
    calls.made("INSERT", "items", rows=1)
    k.execute("SELECT name FROM items WHERE id = %s", (mark,))
    assert k.fetchone() == (None,)
    calls.made("SELECT", "items", rows=1)
    fails("INSERT INTO items VALUES (%s, 'again')", "INSERT", "items", (mark,))
    fails("SELECT * FROM missing", "SELECT", "missing")
    fails("SELEC 1", "SELEC", None)
    k.execute("UPDATE items SET name = 'changed' WHERE id = %s OR id = %s", (mark, "nobody"))
    calls.made("UPDATE", "items", rows=1)


def work(mark, calls):
    with Borrowed() as c:
        k = c.cursor()
        k.execute(f"SELECT 1 AS m_{mark}")
        calls.made("SELECT", rows=1)
        common(k, mark, calls)
        c.autocommit = False
        k.execute("DELETE FROM items WHERE id = %s", (mark,))
        calls.made("BEGIN")
        calls.made("DELETE", "items", rows=1)
        c.rollback()
        calls.made("ROLLBACK")
        k.execute("SELECT count(*) FROM items WHERE id = %s", (mark,))
        assert k.fetchone() == (1,)
        calls.made("BEGIN")
        calls.made("SELECT", "items", rows=1)
        c.commit()
        calls.made("COMMIT")
        c.autocommit = True
        k.execute("SELECT i, repeat('x', 200) FROM generate_series(1, 6000) i")
        assert len(k.fetchall()) == 6000
        calls.made("SELECT", "generate_series", rows=6000)
        lines = "".join(f"{mark}c{i}\tname\n" for i in range(200))
        if DRIVER.startswith("psycopg2"):
            k.copy_expert("COPY items FROM STDIN", io.StringIO(lines))
        else:
            with k.copy("COPY items FROM STDIN") as copy:
                copy.write(lines)
        calls.made("COPY", "items", rows=200)
        if DRIVER.startswith("psycopg2"):
            k.copy_expert("COPY (SELECT * FROM items LIMIT 3000) TO STDOUT", io.StringIO())
        else:
            with k.copy("COPY (SELECT * FROM items LIMIT 3000) TO STDOUT") as copy:
                for _ in copy:
                    pass
        calls.made("COPY", "items")  # the table of its SELECT
        c.autocommit = False
        named = c.cursor("held")
        named.execute("SELECT i FROM generate_series(1, 250) i")
        calls.made("BEGIN")
        calls.made("DECLARE", "generate_series")
        for n in (100, 100, 50):
            assert len(named.fetchmany(100)) == n
            calls.made("FETCH", rows=n)
        named.close()
        calls.made("CLOSE")
        c.rollback()
        calls.made("ROLLBACK")
        c.autocommit = True
        if not DRIVER.startswith("psycopg2"):
            with c.pipeline():
                for i in range(20):
                    k.execute("INSERT INTO items VALUES (%s, %s)", (f"{mark}p{i}", "piped"))
                    calls.made("INSERT", "items", rows=1)
            k.executemany("INSERT INTO items VALUES (%s, %s)", [(f"{mark}q{i}", "many") for i in range(20)])
            for i in range(20):
                calls.made("INSERT", "items", rows=1)
            with c.transaction():
                k.execute("DELETE FROM items WHERE id = %s", (f"{mark}p0",))
            calls.made("BEGIN")
            calls.made("DELETE", "items", rows=1)
            calls.made("COMMIT")
        k.execute("LISTEN news")
        calls.made("LISTEN")
        k.execute("SELECT pg_notify('news', 'said')")
        calls.made("SELECT", rows=1)
        k.execute("UNLISTEN *")
        calls.made("UNLISTEN")
        k.execute(f"SELECT 1 AS e_{mark}")
        calls.made("SELECT", rows=1)


threads(work)
