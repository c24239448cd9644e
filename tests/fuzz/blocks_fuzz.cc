// Hopping over any bytes: terminates, finds only real headers, and counts every byte once.
#include <stdexcept>

#include "formats/file/block_index.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap::formats;
  using namespace tailcap::formats::file;
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  const std::size_t found = find_header(bytes);
  if (found > size || (found < size && !decode_header(bytes.subspan(found)))) std::abort();

  const MemoryFile memory(data, size);
  try {
    const InputFile file(memory.path());
    std::uint64_t at = 0;
    for (const IndexEntry& entry : index_blocks(file).entries) {
      if (entry.offset != at) std::abort();
      at += entry.bytes;
    }
    if (at != size) std::abort();
  } catch (const std::runtime_error&) {
    // Empty, or not a capture.
  }
  return 0;
}
