"""A compiled BPF object: its functions, their instructions, what they call and how much stack they use."""
import dataclasses
import struct

CALL, EXIT_CLASS, ALU64, ALU32, LOAD_IMMEDIATE = 0x85, 5, 7, 4, 0x18
LOAD, STORE, STORE_REGISTER = 1, 2, 3
FRAME_POINTER = 10
ATOMIC32, ATOMIC64 = 0xC3, 0xDB
FUNCTION, NOTYPE, SECTION_SYMBOL = 2, 0, 3
UNDEFINED = 0


@dataclasses.dataclass
class Function:
    name: str
    section: str
    helpers: list = dataclasses.field(default_factory=list)  # numbers, in the order of the instructions
    calls: set = dataclasses.field(default_factory=set)  # names of functions in the object
    externs: set = dataclasses.field(default_factory=set)  # symbols of the kernel
    fetches: int = 0  # atomic instructions with a result
    stack: int = 0  # bytes below the frame pointer that it touches

    @property
    def is_program(self):
        return self.section != ".text"


class ObjectFile:
    def __init__(self, path):
        self.data = open(path, "rb").read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise SystemExit(f"{path} is not a little-endian 64-bit ELF file")
        (offset,) = struct.unpack_from("<Q", self.data, 40)
        size, count, names = struct.unpack_from("<HHH", self.data, 58)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size) for i in range(count)]
        self.section_names = [self._text(names, s[0]) for s in self.sections]
        self.symbols = self._symbols()
        self.functions = {}
        for section, value, kind, name, length in self.symbols:
            if kind == FUNCTION and section != UNDEFINED:
                self.functions[name] = self._function(name, section, value, length)

    def _text(self, strings, at):
        begin = self.sections[strings][4] + at
        return self.data[begin : self.data.index(b"\0", begin)].decode()

    def _symbols(self):
        table = next(s for s in self.sections if s[1] == 2)
        symbols = []
        for at in range(table[4], table[4] + table[5], 24):
            name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
            symbols.append((section, value, info & 15, self._text(table[6], name), size))
        return symbols

    def _relocations(self, section):
        found = {}
        for header in self.sections:
            if header[1] == 9 and header[7] == section:
                for at in range(header[4], header[4] + header[5], 16):
                    offset, info = struct.unpack_from("<QQ", self.data, at)
                    found[offset] = self.symbols[info >> 32]
        return found

    def _name_at(self, section, value):
        return next(n for s, v, kind, n, _ in self.symbols if kind == FUNCTION and (s, v) == (section, value))

    def _function(self, name, section, value, length):
        function = Function(name, self.section_names[section])
        relocations = self._relocations(section)
        base = self.sections[section][4]
        frames = {FRAME_POINTER: 0}  # registers that hold an address in the frame, by their distance from its upper end
        skip = False
        for at in range(value, value + length, 8):
            if skip:  # the second half of a 64-bit constant
                skip = False
                continue
            code, registers, offset, number = struct.unpack_from("<BBhi", self.data, base + at)
            destination, source, kind = registers & 15, registers >> 4, code & 7
            symbol = relocations.get(at)
            if symbol and symbol[0] == UNDEFINED:
                function.externs.add(symbol[3])
            if code == CALL and source == 0:
                function.helpers.append(number)
            elif code == CALL and symbol is None:
                function.calls.add(self._name_at(section, at + 8 * (number + 1)))
            elif code == CALL and symbol[0] != UNDEFINED:
                inside = symbol[2] == SECTION_SYMBOL
                function.calls.add(self._name_at(symbol[0], 8 * (number + 1)) if inside else symbol[3])
            if code in (ATOMIC32, ATOMIC64) and number:
                function.fetches += 1
            if kind == LOAD and source in frames:
                function.stack = max(function.stack, -(frames[source] + offset))
            if kind in (STORE, STORE_REGISTER) and destination in frames:
                function.stack = max(function.stack, -(frames[destination] + offset))
            if code == CALL:
                for register in range(6):
                    frames.pop(register, None)
            elif code == LOAD_IMMEDIATE:
                skip = True
                frames.pop(destination, None)
            elif kind in (LOAD, ALU32):
                frames.pop(destination, None)
            elif code == 0xBF and source in frames:  # 64-bit move between registers
                frames[destination] = frames[source]
            elif code == 0x07 and destination in frames:  # 64-bit addition of a constant
                frames[destination] += number
                function.stack = max(function.stack, -frames[destination])
            elif kind == ALU64:
                frames.pop(destination, None)
        return function
