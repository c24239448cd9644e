"""Long lines of JSON in a form whose differences can be read, and back.

A line of JSON of more than WIDTH characters becomes MARK and an outline: a field a line, in the order in which the command
wrote it; what fits into WIDTH stays together. Nothing but white space between tokens is added, so that join() gives the
command's own bytes again. All other lines stay as they are.
"""
import json
import re

WIDTH = 110
MARK = "--- one line of JSON"
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},:]|[^][{},:"\s]+')
CLOSING = {"{": "}", "[": "]"}


def tree(token, rest):
    """The value that begins with `token`: a scalar as its text, otherwise (opening bracket, [(key or None, value)])."""
    if token not in CLOSING:
        return token
    parts = []
    for first in rest:
        if first == CLOSING[token]:
            break
        if first == ",":
            first = next(rest)
        key = None
        if token == "{":
            key, _, first = first, next(rest), next(rest)
        parts.append((key, tree(first, rest)))
    return token, parts


def flat(node):
    if isinstance(node, str):
        return node
    opening, parts = node
    return opening + ", ".join((f"{key}: " if key else "") + flat(value) for key, value in parts) + CLOSING[opening]


def outline(node, indent, before):
    whole = flat(node)
    if isinstance(node, str) or len(indent) + len(before) + len(whole) < WIDTH:
        return [indent + before + whole]
    opening, parts = node
    lines = [indent + before + opening]
    for number, (key, value) in enumerate(parts, 1):
        lines += outline(value, indent + "  ", f"{key}: " if key else "")
        lines[-1] += "," if number < len(parts) else ""
    return [*lines, indent + CLOSING[opening]]


def split_line(line):
    if len(line) <= WIDTH or line[0] not in CLOSING:
        return [line]
    tokens = TOKEN.findall(line)
    try:
        json.loads(line)
    except ValueError:
        return [line]
    if "".join(tokens) != line:  # spaces of its own
        return [line]
    return [MARK, *outline(tree(tokens[0], iter(tokens[1:])), "", "")]


def split(output):
    """The readable form of what a command printed (bytes)."""
    lines = output.decode("utf-8", "surrogateescape").split("\n")
    readable = "\n".join(part for line in lines for part in split_line(line)).encode("utf-8", "surrogateescape")
    assert join(readable) == output, "the readable form cannot be undone"
    return readable


def join(readable):
    """What split() was given."""
    lines, result, rest = readable.decode("utf-8", "surrogateescape").split("\n"), [], 0
    while rest < len(lines):
        line = lines[rest]
        rest += 1
        if line == MARK:
            last = rest
            while lines[last] not in CLOSING.values():  # at the margin: the end of the outline
                last += 1
            line = "".join(TOKEN.findall("\n".join(lines[rest : last + 1])))
            rest = last + 1
        result.append(line)
    return "\n".join(result).encode("utf-8", "surrogateescape")
