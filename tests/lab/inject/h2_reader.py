"""An HTTP/2 client that opens its window late: h2_reader.py PORT LOG. Every other of 30 requests is large, and waits."""
import json
import socket
import sys
import time

import h2.config
import h2.connection
import h2.events


def main(port, log):
    server = socket.create_connection(("127.0.0.1", int(port)))
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    with open(log, "w") as out:
        for n in range(30):
            stream = connection.get_next_available_stream_id()
            begin = time.monotonic_ns()
            connection.send_headers(
                stream,
                [
                    (":method", "GET"),
                    (":path", f"/{200 if n % 2 else 4}"),
                    (":scheme", "http"),
                    (":authority", "lab"),
                    ("x-request-id", f"window-{n}"),
                ],
                end_stream=True,
            )
            server.sendall(connection.data_to_send())
            ended, held = False, 0
            while not ended:
                for event in connection.receive_data(server.recv(65536)):
                    if isinstance(event, h2.events.DataReceived):
                        held += event.flow_controlled_length
                    ended = ended or isinstance(event, h2.events.StreamEnded)
                if held >= 60 * 1024 or ended:
                    if not ended:
                        time.sleep(0.03)
                        connection.increment_flow_control_window(held, stream)
                    connection.increment_flow_control_window(held)
                    held = 0
                server.sendall(connection.data_to_send())
            out.write(json.dumps({"id": f"window-{n}", "sent_ns": begin, "done_ns": time.monotonic_ns()}) + "\n")
    server.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
