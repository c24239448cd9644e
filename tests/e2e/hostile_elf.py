"""Shared libraries made by hand, for tests: every field may say what it likes."""
import struct
import zlib

PT_LOAD, PT_NOTE = 1, 4
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_DYNSYM = 1, 2, 3, 4, 11
SHF_ALLOC, SHF_EXECINSTR = 2, 4
STT_FUNC_GLOBAL = 0x12
HEADERS = 0x800  # what the ELF header and the program headers have at most


class Library:
    """Offsets in the file are addresses."""

    def __init__(self):
        self.parts = []  # offset, bytes
        self.sections = []  # name, type, flags, offset, size, link, entry size
        self.segments = []  # type, offset, size

    def put(self, offset, data):
        self.parts.append((offset, data))
        return offset

    def section(self, name, kind, flags, offset, size, link=0):
        self.sections.append((name, kind, flags, offset, size, link))
        return len(self.sections)  # 0 is the empty one

    def functions(self, names, at):
        """Exports functions: name -> (offset, size). The tables begin at an offset."""
        strings, symbols = b"\0", b"\0" * 24
        for name, (offset, size) in names.items():
            symbols += struct.pack("<IBBHQQ", len(strings), STT_FUNC_GLOBAL, 0, 1, offset, size)
            strings += name.encode() + b"\0"
        self.put(at, symbols)
        self.put(at + len(symbols), strings)
        text = self.section(".dynstr", SHT_STRTAB, SHF_ALLOC, at + len(symbols), len(strings))
        return self.section(".dynsym", SHT_DYNSYM, SHF_ALLOC, at, len(symbols), text)

    def write(self, path, size):
        """size: of the file, sparse where nothing was put; the section headers come behind it."""
        names = b"\0"
        headers = b"\0" * 64
        for name, kind, flags, offset, length, link in self.sections:
            entry = 24 if kind in (SHT_SYMTAB, SHT_RELA, SHT_DYNSYM) else 0
            headers += struct.pack(
                "<IIQQQQIIQQ",
                len(names),
                kind,
                flags,
                offset if flags & SHF_ALLOC else 0,
                offset,
                length,
                link,
                0,
                8,
                entry,
            )
            names += name.encode() + b"\0"
        headers += struct.pack("<IIQQQQIIQQ", 0, SHT_STRTAB, 0, 0, size, len(names), 0, 0, 1, 0)
        at = size + (len(names) + 7) // 8 * 8
        count = len(self.sections) + 2
        segments = [(PT_LOAD, 0, size)] + self.segments
        with open(path, "wb") as f:
            f.write(b"\x7fELF\x02\x01\x01" + b"\0" * 9)
            f.write(struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, at, 0, 64, 56, len(segments), 64, count, count - 1))
            for kind, offset, length in segments:
                f.write(
                    struct.pack(
                        "<IIQQQQQQ", kind, 5, offset, offset, offset, length, length, 4 if kind == PT_NOTE else 0x1000
                    )
                )
            for offset, data in self.parts:
                f.seek(offset)
                f.write(data)
            f.seek(size)
            f.write(names)
            f.seek(at)
            f.write(headers)


SHF_COMPRESSED, ELFCOMPRESS_ZLIB = 0x800, 1


def inflates_to(size):
    """A compressed section of zeros, a thousandth of that long."""
    deflate, data = zlib.compressobj(9), struct.pack("<IIQQ", ELFCOMPRESS_ZLIB, 0, size, 1)
    for _ in range(size >> 20):
        data += deflate.compress(bytes(1 << 20))
    return data + deflate.flush()


def add_sections(source, path, sections):
    """A copy with more sections: (name, flags, data)."""
    content = bytearray(source.read_bytes())
    (table,) = struct.unpack_from("<Q", content, 40)
    count, names_at = struct.unpack_from("<HH", content, 60)
    headers = bytearray(content[table : table + 64 * count])
    offset, size = struct.unpack_from("<QQ", headers, 64 * names_at + 24)
    names = bytearray(content[offset : offset + size])
    for name, flags, data in sections:
        headers += struct.pack("<IIQQQQIIQQ", len(names), SHT_PROGBITS, flags, 0, len(content), len(data), 0, 0, 1, 0)
        names += name.encode() + b"\0"
        content += data
    struct.pack_into("<QQ", headers, 64 * names_at + 24, len(content), len(names))
    content += names
    struct.pack_into("<Q", content, 40, len(content))
    struct.pack_into("<H", content, 60, count + len(sections))
    path.write_bytes(content + headers)
    path.chmod(0o755)
