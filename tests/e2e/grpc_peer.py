"""A gRPC server and client without generated code, for grpc_test.py; both log every call as a line of JSON.

    grpc_peer.py serve PORT
    grpc_peer.py call PORT CALLS       waits for SIGUSR1, then makes CALLS calls of all kinds and ends

A path says what happens: /peer.ONE.MANY/Ok takes one message and answers with many. Ends: Ok, Error (with a message that
must be escaped), Slow (the handler sleeps; the client's deadline passes, or it cancels).
"""
import json
import os
import random
import signal
import sys
import threading
import time
from concurrent import futures

import grpc

MESSAGE = "100 % of ü\nare gone"
lock = threading.Lock()


def tell(**facts):
    with lock:
        print(json.dumps(facts), flush=True)


def id_of(context):
    return dict(context.invocation_metadata()).get("x-request-id", "")


# Server


class Handler(grpc.GenericRpcHandler):
    def service(self, call):
        parts = call.method.split("/")
        if len(parts) != 3 or not parts[1].startswith("peer.") or parts[2] not in ("Ok", "Error", "Slow", "Stub"):
            return None
        _, asks, answers = parts[1].split(".")
        end = parts[2]

        def handle(requests, context):
            received = [len(m) for m in requests]
            sent = []
            try:
                if end == "Slow":
                    if answers == "Many":
                        sent.append(7)
                        yield b"s" * 7
                    time.sleep(0.8)
                if end == "Stub":
                    context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")
                for i in range(5 if answers == "Many" else 1):
                    if end == "Error" and (answers == "One" or i == 2):
                        context.abort(grpc.StatusCode.NOT_FOUND, MESSAGE)
                    sent.append(sum(received) + i)
                    yield b"r" * sent[-1]
            finally:
                tell(id=id_of(context), path=call.method, received=received, sent=sent)

        def single(request, context):
            return next(handle([request], context))

        def many_to_one(requests, context):
            return next(handle(requests, context))

        def one_to_many(request, context):
            return handle([request], context)

        if asks == "One":
            return (
                grpc.unary_unary_rpc_method_handler(single)
                if answers == "One"
                else grpc.unary_stream_rpc_method_handler(one_to_many)
            )
        return (
            grpc.stream_unary_rpc_method_handler(many_to_one)
            if answers == "One"
            else grpc.stream_stream_rpc_method_handler(handle)
        )


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(64))
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.wait_for_termination()


# Client


def one_call(channel, number, source):
    asks, answers = source.choice(("One", "Many")), source.choice(("One", "Many"))
    end = source.choices(("ok", "error", "deadline", "cancel"), (8, 4, 1, 1))[0]
    path = f"/peer.{asks}.{answers}/" + {"ok": "Ok", "error": "Error"}.get(end, "Slow")
    sizes = [source.randrange(200) for _ in range(1 if asks == "One" else source.randrange(1, 6))]
    make = {
        ("One", "One"): channel.unary_unary,
        ("One", "Many"): channel.unary_stream,
        ("Many", "One"): channel.stream_unary,
        ("Many", "Many"): channel.stream_stream,
    }[asks, answers]
    timeout = 0.2 if end == "deadline" else source.choice((None, 10))
    trace, span = source.randbytes(16), source.randbytes(8)
    context = [("traceparent", f"00-{trace.hex()}-{span.hex()}-01")]
    if number % 3 == 1:
        context = [("grpc-trace-bin", b"\0\0" + trace + b"\1" + span + b"\2\1")]
    elif number % 3 == 2:
        context = [("trace-id", trace.hex()), ("span-id", span.hex()), ("traceflags", "01")]
    facts = {
        "id": f"c{number}",
        "path": path,
        "end": end,
        "sent": sizes,
        "timeout_ms": timeout and timeout * 1000,
        "trace_id": trace.hex(),
    }
    began = time.monotonic_ns()
    requests = [b"q" * n for n in sizes]
    options = {"timeout": timeout, "metadata": [("x-request-id", facts["id"]), *context]}
    received, status, message = [], 0, ""
    try:
        method = make(path)
        call = (
            method.future(requests[0], **options)
            if (asks, answers) == ("One", "One")
            else method(requests[0], **options)
            if asks == "One"
            else method.future(iter(requests), **options)
            if answers == "One"
            else method(iter(requests), **options)
        )
        if end == "cancel":
            threading.Timer(0.15, call.cancel).start()
        if answers == "One":
            received.append(len(call.result()))
        else:
            for m in call:
                received.append(len(m))
    except grpc.FutureCancelledError:
        status = 1
    except grpc.RpcError as e:
        status, message = e.code().value[0], e.details()
    tell(
        **facts,
        received=received,
        status=status,
        message="" if status == 0 else message,
        began_ns=began,
        done_ns=time.monotonic_ns(),
        gave_up=end in ("deadline", "cancel"),
    )


def call(port, calls):
    source = random.Random(17)
    seeds = [random.Random(source.random()) for _ in range(calls)]
    signal.sigwait([signal.SIGUSR1])
    channels = [
        grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(4)
    ]
    with futures.ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(one_call, channels[i % 4], i, seeds[i]) for i in range(calls)]:
            done.result()
    for c in channels:
        c.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    serve(sys.argv[2]) if sys.argv[1] == "serve" else call(sys.argv[2], int(sys.argv[3]))
