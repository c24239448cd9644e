"""MariaDB from threads: PyMySQL and mysqlclient. mysql_threads.py PORT STORE DRIVER"""
import queue

from service import DRIVER, STORE, threads

if DRIVER == "pymysql":
    import pymysql as driver
else:
    import MySQLdb as driver

TESTER = dict(host="127.0.0.1", port=STORE, user="tester", password="PLANTED7777", database="test", autocommit=True)
pool = queue.Queue()
for _ in range(4):
    pool.put(driver.connect(**TESTER))


def work(mark, calls):
    c = pool.get()
    k = c.cursor()

    def fails(sql, operation, resource, *values):
        try:
            k.execute(sql, *values)
        except driver.Error as e:
            calls.made(operation, resource, str(e.args[0]))

    k.execute(f"SELECT 1 AS m_{mark}")
    calls.made("SELECT")
    k.execute("INSERT INTO items VALUES (%s, %s)", (mark, None))
    calls.made("INSERT", "items")
    k.execute("SELECT name FROM items WHERE id = %s", (mark,))
    assert k.fetchone() == (None,)
    calls.made("SELECT", "items")
    fails("INSERT INTO items VALUES (%s, 'again')", "INSERT", "items", (mark,))
    fails("SELECT * FROM missing", "SELECT", "missing")
    fails("SELEC 1", "SELEC", None)
    k.executemany("INSERT INTO items VALUES (%s, %s)", [(f"{mark}m{i}", "many") for i in range(30)])
    calls.made("INSERT", "items")
    c.begin() if DRIVER == "pymysql" else c.query("BEGIN")
    calls.made("BEGIN")
    k.execute("DELETE FROM items WHERE id = %s", (mark,))
    calls.made("DELETE", "items")
    c.rollback()
    calls.made("ROLLBACK")
    k.execute("SELECT seq, repeat('x', 200) FROM seq_1_to_6000")
    assert len(k.fetchall()) == 6000
    calls.made("SELECT", "seq_1_to_6000")
    c.ping()
    calls.made("PING")
    unbuffered = c.cursor(driver.cursors.SSCursor)
    unbuffered.execute("SELECT seq FROM seq_1_to_250")
    for n in (100, 100, 50):
        assert len(unbuffered.fetchmany(100)) == n
    unbuffered.close()
    calls.made("SELECT", "seq_1_to_250")
    k.execute(f"SELECT 1 AS e_{mark}")
    calls.made("SELECT")
    pool.put(c)


if DRIVER == "mysqldb":
    import MySQLdb.cursors
threads(work)
