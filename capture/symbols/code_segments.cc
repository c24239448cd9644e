#include "capture/symbols/code_segments.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMaxCodeSegments = 4096;
constexpr std::uint64_t kPage = 4096;

}  // namespace

CodeSegments code_segments(const ElfFile& file) {
  CodeSegments code;
  for (const Segment& segment : file.segments()) {
    if (segment.executable && code.size() < kMaxCodeSegments) code.push_back(segment);
  }
  return code;
}

void encode(scan::Encoder& out, const CodeSegments& code) {
  out.number(static_cast<std::uint64_t>(code.size()));
  for (const Segment& segment : code) {
    out.number(segment.address);
    out.number(segment.offset);
    out.number(segment.file_size);
  }
}

CodeSegments decode_code_segments(scan::Decoder& in) {
  CodeSegments code;
  for (std::size_t left = in.count(kMaxCodeSegments, 24); left > 0; left--) {
    Segment& segment = code.emplace_back();
    segment.address = in.number<std::uint64_t>();
    segment.offset = in.number<std::uint64_t>();
    segment.file_size = in.number<std::uint64_t>();
    segment.executable = true;
  }
  return code;
}

std::optional<std::uint64_t> address_of(const CodeSegments& code, std::uint64_t offset) {
  for (const Segment& segment : code) {
    const std::uint64_t begin = segment.offset / kPage * kPage;
    if (offset < begin || offset - begin >= segment.offset - begin + segment.file_size) continue;
    return segment.address + (offset - segment.offset);
  }
  return std::nullopt;
}

}  // namespace tailcap::capture::symbols
