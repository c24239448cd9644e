"""Files that another program has locked, or writes."""
import sqlite3

from incidents.stage import free_port, http_service

ORDERS = http_service(
    """
import sqlite3
db = sqlite3.connect(sys.argv[2], timeout=10, isolation_level=None)
db.execute("insert into orders values (1)")
db.close()
"""
)
ROLLS_UP = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
while True:
    time.sleep(0.8)
    db.execute("begin immediate")
    db.execute("insert into orders values (2)")
    time.sleep(0.25)
    db.execute("commit")
"""
# One process for each request's work: a lock of fcntl() belongs to a process.
APPENDS = http_service(
    """
import fcntl
with open(sys.argv[2], "ab") as f:
    fcntl.LOCK(f, fcntl.LOCK_EX)
    f.write(b"order")
""",
    threads=False,
)
ROTATES = """
import fcntl, sys, time
while True:
    time.sleep(0.9)
    with open(sys.argv[1], "ab") as f:
        fcntl.LOCK(f, fcntl.LOCK_EX)
        time.sleep(0.2)
"""


def sqlite(stage):
    port, path = free_port(), stage.folder / "shop.db"
    with sqlite3.connect(path) as db:
        db.execute("create table orders (n int)")
    service = stage.python("shop.py", ORDERS, port, path, port=port)
    stage.python("rollup.py", ROLLS_UP, path)
    with stage.recording(service.pid):
        stage.load(port, ((30, "POST /order/#"),), 8)
    return {"hit": stage.slow("/order", 0.05), "what": "rollup.py keeps a transaction of SQLite open"}


def locked(stage, call):
    port, path = free_port(), stage.folder / "orders.log"
    service = stage.python("shop.py", APPENDS.replace("LOCK(", call + "("), port, path, port=port)
    stage.python("rotate.py", ROTATES.replace("LOCK(", call + "("), path)
    with stage.recording(service.pid):
        stage.load(port, ((30, "POST /order/#"),), 8)
    return {"hit": stage.slow("/order", 0.05), "what": "rotate.py holds a lock on orders.log"}


def flock(stage):
    return locked(stage, "flock")


def posix(stage):
    return locked(stage, "lockf")
