// The executable segments of a file: which address a place in it has.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

using CodeSegments = std::vector<Segment>;

CodeSegments code_segments(const ElfFile& file);
void encode(scan::Encoder& out, const CodeSegments& code);
CodeSegments decode_code_segments(scan::Decoder& in);

// The file's address of a mapping that begins at this offset in the file; none: it begins in no executable segment.
std::optional<std::uint64_t> address_of(const CodeSegments& code, std::uint64_t offset);

}  // namespace tailcap::capture::symbols
