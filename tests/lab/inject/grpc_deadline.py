"""A call that is given up: grpc_deadline.py server PORT, or client PORT, which prints how its ten calls ended."""
import sys
import time
from concurrent import futures

import grpc


def server(port):
    def handle(request, context):
        time.sleep(0.2)
        return request

    handler = grpc.method_handlers_generic_handler("lab.Slow", {"Echo": grpc.unary_unary_rpc_method_handler(handle)})
    s = grpc.server(futures.ThreadPoolExecutor(4))
    s.add_generic_rpc_handlers((handler,))
    s.add_insecure_port(f"127.0.0.1:{port}")
    s.start()
    print("ready", flush=True)
    sys.stdin.read()
    s.stop(None)


def client(port):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/lab.Slow/Echo")
        for _ in range(10):
            try:
                call(b"x", timeout=0.05)
                print("OK")
            except grpc.RpcError as e:
                print(e.code().name)


if __name__ == "__main__":
    {"server": server, "client": client}[sys.argv[1]](sys.argv[2])
