"""An HTTP/2 client of several streams at once: h2_streams.py HOST PORT LOG. Sixty times eight requests on one connection."""
import json
import socket
import sys
import time

import h2.config
import h2.connection
import h2.events

ROUNDS, STREAMS = 60, 8


def main(host, port, log):
    server = socket.create_connection((host, int(port)))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    server.sendall(connection.data_to_send())
    with open(log, "w") as out:
        for n in range(ROUNDS):
            begun = {}
            for i in range(STREAMS):
                stream = connection.get_next_available_stream_id()
                begun[stream] = (f"stream-{n}-{i}", time.monotonic_ns())
                connection.send_headers(
                    stream,
                    [
                        (":method", "GET"),
                        (":path", "/2"),
                        (":scheme", "http"),
                        (":authority", "lab"),
                        ("x-request-id", begun[stream][0]),
                    ],
                    end_stream=True,
                )
            server.sendall(connection.data_to_send())
            while begun:
                for event in connection.receive_data(server.recv(65536)):
                    if isinstance(event, h2.events.DataReceived):
                        connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        name, sent = begun.pop(event.stream_id)
                        out.write(json.dumps({"id": name, "sent_ns": sent, "done_ns": time.monotonic_ns()}) + "\n")
                server.sendall(connection.data_to_send())
            time.sleep(0.02)
    server.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
