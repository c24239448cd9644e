"""Messages of protobuf as `protoc --decode` prints them: nested dictionaries of lists."""
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
LINE = re.compile(r'\s*(?:(\w+) \{|(\})|(\d+|\w+): (.*))$')


def available():
    return shutil.which("protoc") is not None


def unquoted(text):
    if text.startswith('"'):
        raw = re.sub(
            rb"\\([0-7]{3}|.)",
            lambda m: bytes([int(m[1], 8)])
            if len(m[1]) == 3
            else {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(m[1], m[1]),
            text[1:-1].encode(),
        )
        return raw
    if text in ("true", "false"):
        return text == "true"
    return (
        int(text)
        if re.fullmatch(r"-?\d+", text)
        else float(text)
        if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", text)
        else text
    )


def decode(data, schema, message):
    """Fields that the schema does not have are an error: protoc prints their numbers."""
    done = subprocess.run(
        ["protoc", f"--decode={message}", f"--proto_path={HERE}", schema],
        input=data,
        capture_output=True,
        check=True,
        cwd=HERE,
    )
    root, stack = {}, []
    at = root
    for line in done.stdout.decode().splitlines():
        opened, closed, name, value = LINE.match(line).groups()
        if opened:
            assert not opened.isdigit(), line
            stack.append(at)
            at.setdefault(opened, []).append({})
            at = at[opened][-1]
        elif closed:
            at = stack.pop()
        else:
            assert not name.isdigit(), f"a field that {schema} does not have: {line}"
            at.setdefault(name, []).append(unquoted(value))
    assert not stack
    return root
