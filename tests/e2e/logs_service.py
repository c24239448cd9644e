"""A service that logs in a form of its own: PORT FORM LOG. GET /TRUTH answers after a few milliseconds, and three lines say TRUTH.

FORM: json (time with microseconds), plain (time with milliseconds and no zone), journal (journald's export format), journald (to journald's socket).
"""
import datetime
import http.server
import json
import os
import socket
import struct
import sys
import threading
import time

PORT, FORM, LOG = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "wb", buffering=0)
JOURNALD = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if FORM == "journald":
    JOURNALD.connect("/run/systemd/journal/socket")
lock = threading.Lock()
count = 0


def line_of(level, text, ids):
    global count
    now = datetime.datetime.now(datetime.timezone.utc)
    if FORM == "json":
        return (
            json.dumps({"time": now.isoformat(), "level": level, "msg": text, "process": os.getpid(), **ids}).encode()
            + b"\n"
        )
    if FORM == "plain":
        said = "".join(f" {name}={value}" for name, value in ids.items())
        return f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03} {level.upper()} {text}{said}\n".encode()
    count += 1
    micros = int(now.timestamp() * 1e6)
    message = json.dumps({"msg": text, "level": level, **ids}).encode()
    head = f"__CURSOR=c{count}\n__REALTIME_TIMESTAMP={micros + 9000}\n_SOURCE_REALTIME_TIMESTAMP={micros}\n_PID={os.getpid()}\nPRIORITY=6\nMESSAGE\n".encode()
    return head + struct.pack("<Q", len(message)) + message + b"\n\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, level, text):
        ids = {}
        if self.headers["traceparent"]:
            ids["trace_id"] = self.headers["traceparent"].split("-")[1]
        if self.headers["x-request-id"]:
            ids["request_id"] = self.headers["x-request-id"]
        if FORM == "journald":
            message = json.dumps({"msg": text, "level": level, **ids})
            return JOURNALD.send(f"MESSAGE={message}\nPRIORITY=6\n".encode())
        with lock:
            LOG.write(line_of(level, text, ids))

    def do_GET(self):
        truth = self.path[1:]
        self.say("info", f"begin {truth}")
        time.sleep(0.003)
        self.say("error" if truth.endswith("7") else "debug", f"work {truth}")
        time.sleep(0.003)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.say("info", f"sent {truth}")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


Server(("127.0.0.1", PORT), Handler).serve_forever()
