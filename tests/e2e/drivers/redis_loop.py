"""Redis from an event loop: redis.asyncio and its pool. redis_loop.py PORT STORE DRIVER"""
import redis.asyncio as redis

from service import STORE, loop


async def prepare():
    global r
    r = redis.Redis(connection_pool=redis.BlockingConnectionPool(max_connections=4, port=STORE, timeout=60))


async def work(mark, calls):
    key = f"{mark}:cart"
    await r.set(key, "PLANTED")
    calls.made("SET", "MARK:cart")
    assert await r.get(key) == b"PLANTED"
    calls.made("GET", "MARK:cart")
    try:
        await r.lpush(key, "x")
    except redis.ResponseError:
        calls.made("LPUSH", "MARK:cart", "WRONGTYPE")
    async with r.pipeline(transaction=False) as pipe:
        for i in range(20):
            pipe.hset(f"{mark}:hash", f"field{i}", "x" * 100)
            calls.made("HSET", "MARK:hash")
        await pipe.execute()
    await r.set(f"{mark}:blob", "x" * 1_500_000)
    calls.made("SET", "MARK:blob")
    assert len(await r.get(f"{mark}:blob")) == 1_500_000
    calls.made("GET", "MARK:blob")
    await r.delete(key)
    calls.made("DEL", "MARK:cart")


loop(prepare, work)
