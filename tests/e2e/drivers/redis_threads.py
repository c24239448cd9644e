"""Redis from threads: redis-py and its pool. redis_threads.py PORT STORE DRIVER"""
import redis

from service import STORE, threads

r = redis.Redis(port=STORE, connection_pool=redis.BlockingConnectionPool(4, port=STORE, timeout=60))


def work(mark, calls):
    key = f"{mark}:cart"
    r.set(key, "PLANTED")
    calls.made("SET", "MARK:cart")
    assert r.get(key) == b"PLANTED"
    calls.made("GET", "MARK:cart")
    assert r.get(f"{mark}:default") is None
    calls.made("GET", "MARK:default")
    try:
        r.lpush(key, "x")
    except redis.ResponseError:
        calls.made("LPUSH", "MARK:cart", "WRONGTYPE")
    with r.pipeline(transaction=False) as pipe:
        for i in range(20):
            pipe.hset(f"{mark}:hash", f"field{i}", "x" * 100)
            calls.made("HSET", "MARK:hash")
        pipe.incr(key)
        calls.made("INCRBY", "MARK:cart", "ERR")
        pipe.execute(raise_on_error=False)
    r.set(f"{mark}:blob", "x" * 1_500_000)
    calls.made("SET", "MARK:blob")
    assert len(r.get(f"{mark}:blob")) == 1_500_000
    calls.made("GET", "MARK:blob")
    r.blpop(f"{mark}:list", 0.02)
    calls.made("BLPOP", "MARK:list")
    r.delete(key)
    calls.made("DEL", "MARK:cart")


threads(work)
