"""An HTTP service for one driver: GET /work/ID makes the calls of a request and is answered with them, as JSON: operation, resource,
code of the error, rows. threads(): a thread for each connection; loop(): an event loop."""
import asyncio
import http.server
import json
import sys

PORT, STORE, DRIVER = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


class Calls(list):
    def made(self, operation, resource=None, error=None, rows=None):
        self.append((operation, resource, error, rows))

    def answer(self):
        return json.dumps(self).encode()


def threads(work):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            calls = Calls()
            work(self.path.rsplit("/", 1)[1], calls)
            body = calls.answer()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 256

    Server(("127.0.0.1", PORT), Handler).serve_forever()


def loop(prepare, work):
    async def serve(reader, writer):
        while head := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            calls = Calls()
            await work(head.split()[1].decode().rsplit("/", 1)[1], calls)
            body = calls.answer()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async def main():
        await prepare()
        server = await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=256)
        await server.serve_forever()

    asyncio.run(main())
