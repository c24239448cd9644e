"""Stores that one of their clients keeps busy."""
import subprocess

from incidents.stage import free_port, http_service

# A client of Redis: one connection for each thread.
ASKS = http_service(
    """
mine = globals().setdefault("local", threading.local())
if not hasattr(mine, "store"):
    mine.store = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
mine.store.sendall(b"*2\\r\\n$3\\r\\nGET\\r\\n$4\\r\\ncart\\r\\n")
mine.store.recv(4096)
"""
)
# Every 0.6 s a script that keeps the store busy for 0.12 s.
STATISTICS = r"""
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
code = "local t = redis.call('TIME'); local till = t[1] * 1000000 + t[2] + 120000; repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > till; return 1"
while True:
    time.sleep(0.6)
    s.sendall(b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(code), code.encode()))
    s.recv(4096)
"""
PAYS = """
import flask, pymysql, sys, threading
app, local = flask.Flask("shop"), threading.local()
@app.post("/pay/<int:n>")
def pay(n):
    if not hasattr(local, "db"):
        local.db = pymysql.connect(unix_socket=sys.argv[2], user="root", database="shop", autocommit=True)
    local.db.cursor().execute("update account set balance = balance - 1 where id = %s", (n % 10,))
    return "ok"
app.run(port=int(sys.argv[1]), threaded=True)
"""
BATCH = """
import pymysql, sys, time
db = pymysql.connect(unix_socket=sys.argv[1], user="root", database="shop", autocommit=False)
while True:
    db.cursor().execute("update account set balance = balance + 1 where id in (3, 7)")
    time.sleep(0.3)
    db.commit()
    time.sleep(0.8)
"""


def redis(stage):
    port, store = free_port(), free_port()
    server = stage.serve("redis-server", "--port", store, "--save", "", "--bind", "127.0.0.1", port=store)
    service = stage.python("shop.py", ASKS, port, store, port=port)
    stage.python("statistics_job.py", STATISTICS, store)
    with stage.recording(service.pid, server.pid):
        stage.load(port, ((40, "/cart/#"),), 8)
    return {"hit": stage.slow("/cart", 0.02), "what": "EVAL of statistics_job.py keeps redis-server busy"}


def mariadb(stage):
    port, data, socket = free_port(), stage.folder / "data", stage.folder / "db.socket"
    subprocess.run(
        ["mariadb-install-db", "--user=root", f"--datadir={data}", "--auth-root-authentication-method=normal"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    server = stage.start(
        "/usr/sbin/mariadbd",
        "--no-defaults",
        "--user=root",
        f"--datadir={data}",
        f"--socket={socket}",
        "--skip-networking",
    )
    tables = "create database shop; use shop; create table account(id int primary key, balance int) engine=innodb; " + (
        "insert into account select seq, 1000 from seq_0_to_99;"
    )
    client = ["mariadb", f"--socket={socket}", "-u", "root", "-e"]
    stage.until(lambda: subprocess.run([*client, "select 1"], capture_output=True).returncode == 0, "mariadbd")
    subprocess.run([*client, tables], check=True, timeout=20)
    service = stage.serve("/usr/bin/python3", stage.script("shop.py", PAYS), port, socket, port=port)
    stage.start("/usr/bin/python3", stage.script("nightly_batch.py", BATCH), socket)
    with stage.recording(service.pid, server.pid):
        stage.load(port, ((40, "POST /pay/#"),), 8)
    return {"hit": stage.slow("/pay", 0.03), "what": "nightly_batch.py holds locks of rows between its statements"}
