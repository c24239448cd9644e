"""As peer.go."""
import hashlib
import http.client
import http.server
import json
import os
import sys
import threading
import urllib.parse

what, where, log = sys.argv[1:4]
file = open(log, "w", encoding="ascii", buffering=1)
lock = threading.Lock()


def note(token, body_sum, trace, request):
    with lock:
        file.write(json.dumps({"Token": token, "Sum": body_sum, "Trace": trace, "Request": request}) + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body of an answer in one send

    def do_POST(self):
        if self.headers.get("Transfer-Encoding"):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = hashlib.sha256(body).hexdigest()
        get = self.headers.get
        note(get("X-Token"), answer, get("traceparent", ""), get("X-Request-Id", ""))
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *arguments):
        pass


def work(worker, count):
    url = urllib.parse.urlparse(where)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    for i in range(count):
        token = f"python-{os.getpid()}-{worker}-{i}"
        body = b"GET / HTTP/1.1\r\n\r\n" * (i * 7 % 900)
        own = "own-" + token if i % 5 == 4 else ""
        headers = {"X-Token": token, **({"x-request-id": own} if own else {})}
        given = iter([body[:100], body[100:]]) if i % 3 == 1 and len(body) > 100 else body
        connection.request("POST", "/python", given, headers, encode_chunked=not isinstance(given, bytes))
        response = connection.getresponse()
        answer = response.read().decode()
        if response.status != 200 or answer != hashlib.sha256(body).hexdigest():
            os._exit(3)  # another body arrived than was sent
        note(token, answer, "", own)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


if what == "serve":
    Server(("127.0.0.1", int(where)), Handler).serve_forever()
sys.stdin.readline()
threads = [threading.Thread(target=work, args=(n, int(sys.argv[4]) // 4)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
