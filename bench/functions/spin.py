"""As spin.h."""
import sys
import time


def render_invoice(total):
    for i in range(2000):
        total = (total * 31 + i) % 1000003
    return total


def count_stock(total):
    for i in range(2000):
        total = (total * 17 + i) % 1000033
    return total


def turn(said, function):
    begin = end = time.monotonic_ns()
    while end < begin + 200_000_000:
        function(1)
        end = time.monotonic_ns()
    print(begin, end, function.__name__, file=said)


with open(sys.argv[1], "w") as said:
    until = time.monotonic_ns() + int(sys.argv[2]) * 1_000_000_000
    while time.monotonic_ns() < until:
        turn(said, render_invoice)
        turn(said, count_stock)
