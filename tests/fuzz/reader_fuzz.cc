// The whole reader on any bytes: every view is inside its block, every time in range, and the end comes once.
//
// Checksums and zstd would stop a fuzzer, so after a first byte of 1 the input is a list of blocks that this target
// frames correctly: type, flags, event count (16 bits), size (16 bits), and that many bytes of message. Otherwise it is
// a file.
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "formats/block.h"
#include "formats/crc32c.h"
#include "formats/file/reader.h"
#include "formats/file/zstd_frame.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/touch.h"

namespace {

using namespace tailcap::formats;
using tailcap::formats::file::Compressor;

void append(std::vector<std::uint8_t>& file, std::span<const std::byte> bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  file.insert(file.end(), first, first + bytes.size());
}

std::vector<std::uint8_t> framed(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> file;
  Compressor compressor;
  for (std::uint32_t sequence = 0; size >= 6; ++sequence) {
    BlockHeader header;
    header.type = data[0] % 5;
    header.flags = data[1] & 0x0f;
    header.stream = data[1] >> 4;
    header.sequence = sequence;
    header.events = static_cast<std::uint32_t>(data[2] | data[3] << 8);
    const std::size_t message =
        std::min<std::size_t>(static_cast<std::size_t>(data[4] | data[5] << 8), size - 6) / 8 * 8;
    header.last = kMaxTime;
    const auto frame = compressor.compress(std::as_bytes(std::span(data + 6, message)));
    header.raw_size = static_cast<std::uint32_t>(message);
    header.stored_size = static_cast<std::uint32_t>(frame.size());
    header.payload_crc = crc32c(frame);
    append(file, encode(header));
    append(file, frame);
    data += 6 + message;
    size -= 6 + message;
  }
  return file;
}

volatile std::uint64_t touched;

void read(const std::string& path) {
  Reader reader(path, {1});
  const auto summary = reader.summary();
  std::uint64_t events = 0, ends = 0, total = reader.preamble().host.size();
  for (auto span = reader.next(); !span.empty(); span = reader.next()) {
    if (ends > 0) std::abort();
    for (const Event& event : span) {
      total += touch(event);
      ends += kind_of(event) == Kind::capture_end;
      events += kind_of(event) != Kind::capture_end && kind_of(event) != Kind::damage;
    }
  }
  if (ends != 1 || events > summary.events) std::abort();
  touched = total + reader.check().size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    if (size > 0 && data[0] == 1) {
      const auto file = framed(data + 1, size - 1);
      const MemoryFile memory(file.data(), file.size());
      read(memory.path());
    } else {
      const MemoryFile memory(data, size);
      read(memory.path());
    }
  } catch (const std::runtime_error&) {
    // Empty, or not a capture.
  }
  return 0;
}
