"""Python code that says itself what it executed: in which thread, from when to when, and with which frames."""
import asyncio
import ctypes
import functools
import hashlib
import json
import os
import pathlib
import re
import sys
import threading
import time

SECONDS = 0.5
said = []


def frames(frame):
    """From the outermost one on, as stacks name them."""
    out = []
    while frame:
        code = frame.f_code
        path = pathlib.Path(code.co_filename)
        name = f"{path.parent.name}/{path.name}" if path.name == "__init__.py" else path.name
        # Before 3.11 code does not know in which class it is.
        out.insert(0, f"{getattr(code, 'co_qualname', code.co_name)} ({name}:{code.co_firstlineno})")
        frame = frame.f_back
    return out


def say(begin, end, what, frame):
    said.append(
        {
            "pid": os.getpid(),
            "tid": threading.get_native_id(),
            "begin": begin,
            "end": end,
            "what": what,
            "frames": frame,
        }
    )


def burn_by_loop(seconds=SECONDS, what="loop"):
    mine, begin = frames(sys._getframe()), time.monotonic_ns()
    until, n = begin + int(seconds * 1e9), 0
    while time.monotonic_ns() < until:
        n = (n * 31 + 7) % 1000003
    say(begin, time.monotonic_ns(), what, mine)
    return n


class Invoice:
    def render(self):
        mine, begin = frames(sys._getframe()), time.monotonic_ns()
        until, text = begin + int(SECONDS * 1e9), ""
        while time.monotonic_ns() < until:
            text = (text + "ä")[-100:]
        say(begin, time.monotonic_ns(), "method", mine)

    @staticmethod
    def größe():
        burn = lambda: burn_by_loop(what="lambda")
        burn()


class Order:
    def __init__(self, seconds):
        if seconds:
            burn_by_loop(seconds, "constructor")


def in_constructors():
    """Interpreters since 3.12 call those of a class that is called often in a way of their own."""
    for seconds in [0] * 3000 + [SECONDS]:
        Order(seconds)


def in_threads():
    threads = [threading.Thread(target=f) for f in (burn_by_loop, Invoice().render, burn_in_generator)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def numbers():
    mine, begin = frames(sys._getframe()), time.monotonic_ns()
    until = begin + int(SECONDS * 1e9)
    while time.monotonic_ns() < until:
        pass
    say(begin, time.monotonic_ns(), "generator", mine)
    yield 1


def burn_in_generator():
    return [n for n in numbers()]


def in_callbacks():
    sorted([1], key=lambda _: burn_by_loop(what="key of sorted"))
    functools.reduce(lambda a, b: burn_by_loop(what="reduce"), [1, 2])
    re.sub("a", lambda m: str(burn_by_loop(what="re.sub")), "a")
    words = (ctypes.c_int * 2)(2, 1)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    compare = kind(lambda a, b: burn_by_loop(what="ctypes") and 0)
    ctypes.CDLL(None).qsort(words, 2, ctypes.sizeof(ctypes.c_int), compare)


async def handler():
    await asyncio.sleep(0)
    return await inner()


async def inner():
    return burn_by_loop(what="coroutine")


async def tasks():
    await asyncio.gather(handler(), handler())


def deep(n):
    return deep(n - 1) if n else burn_by_loop(what="deep")


def hashes():
    """The interpreter's lock is not held meanwhile."""
    data, mine, begin = bytes(1 << 22), frames(sys._getframe()), time.monotonic_ns()
    until = begin + int(SECONDS * 1e9)
    while time.monotonic_ns() < until:
        hashlib.sha256(data).digest()
    say(begin, time.monotonic_ns(), "without the lock", mine)


def two_that_hash():
    threads = [threading.Thread(target=hashes) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def made_anew():
    """Code objects that follow each other at the same addresses."""
    for i in range(150):
        names = {"burn": burn_by_loop}
        exec(compile(f"def made_{i}():\n    burn(0.005, 'made anew')\n", f"<template {i % 7}>", "exec"), names)
        names["made_%d" % i]()
        del names


def forked():
    child = os.fork()
    if child == 0:
        said.clear()
        burn_by_loop(what="forked")
        write(sys.argv[1] + ".child")
        os._exit(0)
    os.waitpid(child, 0)


def wait_here():
    mine = frames(sys._getframe())
    for _ in range(20):
        begin = time.monotonic_ns()
        time.sleep(0.005)
        say(begin, time.monotonic_ns(), "wait", mine)


def wait_in_threads():
    threads = [threading.Thread(target=wait_here) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write(path):
    pathlib.Path(path).write_text(json.dumps(said))


def main():
    burn_by_loop(what="first")
    burn_by_loop()
    Invoice().render()
    Invoice.größe()
    in_constructors()
    in_threads()
    burn_in_generator()
    in_callbacks()
    asyncio.run(tasks())
    deep(300)
    two_that_hash()
    made_anew()
    forked()
    wait_in_threads()
    write(sys.argv[1])


if __name__ == "__main__":
    main()
