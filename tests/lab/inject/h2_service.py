"""An HTTP/2 server with prior knowledge: h2_service.py PORT LOG [HOST]. GET /N is answered with N KiB; logs how long its window was closed."""
import json
import selectors
import socket
import sys
import time

import h2.config
import h2.connection
import h2.events


def serve(client, log):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    client.sendall(connection.data_to_send())
    waiting = {}  # stream: [id, bytes left, stalled since, stalled]
    while True:
        data = client.recv(65536)
        if not data:
            return
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                fields = dict(event.headers)
                connection.send_headers(event.stream_id, [(":status", "200")])
                waiting[event.stream_id] = [fields.get("x-request-id", ""), int(fields[":path"][1:]) * 1024, None, 0]
        for stream, state in list(waiting.items()):
            while state[1]:
                window = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size, state[1])
                if window == 0:
                    client.sendall(connection.data_to_send())
                    state[2] = state[2] or time.monotonic_ns()
                    break
                if state[2]:
                    state[3] += time.monotonic_ns() - state[2]
                    state[2] = None
                connection.send_data(stream, b"d" * window, end_stream=state[1] == window)
                state[1] -= window
            if not state[1]:
                log.write(json.dumps({"id": state[0], "stall_ns": state[3]}) + "\n")
                log.flush()
                del waiting[stream]
        client.sendall(connection.data_to_send())


def main(port, log, host="127.0.0.1"):
    listener = socket.create_server((host, int(port)))
    print("ready", flush=True)
    ready = selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    ready.register(sys.stdin, selectors.EVENT_READ)
    with open(log, "w") as out:
        while True:
            if any(key.fileobj is sys.stdin for key, _ in ready.select()):
                return
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client:
                serve(client, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
