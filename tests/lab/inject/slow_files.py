"""A FUSE file system with one file that takes its time: slow_files.py FOLDER DELAY_MS. Prints "ready"; ends with its input."""
import errno
import os
import stat
import sys
import threading
import time

import pyfuse3
import trio

FILE = pyfuse3.ROOT_INODE + 1
SIZE = 1 << 20


class Slow(pyfuse3.Operations):
    def __init__(self, delay):
        super().__init__()
        self.delay = delay

    async def getattr(self, inode, ctx=None):
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode
        entry.st_mode, entry.st_size = (
            (stat.S_IFDIR | 0o755, 0) if inode == pyfuse3.ROOT_INODE else (stat.S_IFREG | 0o644, SIZE)
        )
        entry.attr_timeout = entry.entry_timeout = 60
        return entry

    async def lookup(self, parent, name, ctx=None):
        if name != b"slow":
            raise pyfuse3.FUSEError(errno.ENOENT)
        return await self.getattr(FILE)

    async def open(self, inode, flags, ctx):
        return pyfuse3.FileInfo(fh=inode, direct_io=True)

    async def read(self, handle, offset, size):
        await trio.sleep(self.delay)
        return b"x" * max(0, min(size, SIZE - offset))


def main(folder, delay_ms):
    options = set(pyfuse3.default_options) | {"fsname=tailcap-lab"}
    pyfuse3.init(Slow(float(delay_ms) / 1000), folder, options)
    print("ready", flush=True)

    def leave():
        sys.stdin.read()
        pyfuse3.close(unmount=True)
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
    trio.run(pyfuse3.main)


if __name__ == "__main__":
    main(*sys.argv[1:])
