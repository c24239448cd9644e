"""A name server that is slow or deaf: names.py ADDRESS DELAY_MS DROP_EVERY LOG. Answers every A with ADDRESS;
names that begin with "gone" do not exist.

Logs "begin end" (CLOCK_MONOTONIC ns) for each answer, "begin dropped" for those left out. Ends with its standard input.
"""
import select
import socket
import sys
import time


def answer(question, address):
    end = 12
    while question[end]:
        end += question[end] + 1
    end += 5
    kind = int.from_bytes(question[end - 4 : end - 2], "big")
    if question[13:17] == b"gone":
        return question[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + question[12:end]
    head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if kind == 1 else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) if kind == 1 else b""
    return head + question[12:end] + record


def main(address, delay_ms, drop_every, log):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    asked = 0
    with open(log, "w") as out:
        while True:
            readable, _, _ = select.select([server, sys.stdin], [], [])
            if sys.stdin in readable:
                return
            question, client = server.recvfrom(512)
            begin = time.monotonic_ns()
            asked += 1
            if int(drop_every) and asked % int(drop_every) == 0:
                out.write(f"{begin} dropped\n")
                continue
            time.sleep(float(delay_ms) / 1000)
            server.sendto(answer(question, address), client)
            out.write(f"{begin} {time.monotonic_ns()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
