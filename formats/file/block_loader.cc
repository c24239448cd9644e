#include "formats/file/block_loader.h"

#include "formats/crc32c.h"
#include "formats/file/reader.h"

namespace tailcap::formats::file {
namespace {

// Ordinary blocks are well below it.
constexpr std::size_t kKeepBytes = 8u << 20;

}  // namespace

void LoadedBlock::release_excess() {
  if (raw.capacity() * sizeof raw[0] > kKeepBytes) std::vector<std::uint64_t>().swap(raw);
}

std::string BlockLoader::inflate(const IndexEntry& entry, std::vector<std::uint64_t>& raw) {
  if (stored_.capacity() > kKeepBytes) std::vector<std::byte>().swap(stored_);
  raw.clear();
  header_size_ = entry.header.header_size;
  stored_.resize(entry.bytes);  // the index has seen that the file is that long
  if (file_.read(entry.offset, stored_) != entry.bytes) return "the file ends inside the block";
  if (crc32c(payload()) != entry.header.payload_crc) return "checksum mismatch";
  if (entry.header.type > static_cast<std::uint8_t>(BlockType::footer)) return {};
  return decompressor_.decompress(payload(), entry.header.raw_size, raw);
}

void BlockLoader::load(const IndexEntry& entry, LoadedBlock& out) {
  decode(entry, out);
  if (!out.damage.empty()) out.release_excess();
}

void BlockLoader::load_message(const IndexEntry& entry, LoadedBlock& out) {
  out.events.clear();
  out.release_excess();
  out.damage = entry.header.events > kMaxBlockEvents ? "more events than a block may have" : inflate(entry, out.raw);
}

void BlockLoader::decode(const IndexEntry& entry, LoadedBlock& out) {
  load_message(entry, out);
  if (!out.damage.empty()) return;
  const auto message = out.message();
  if (entry.header.has_events()) {
    out.damage = columns::decode_events(message, entry.header, out.events);
  } else if (entry.header.is(BlockType::preamble)) {
    Preamble preamble;
    out.damage = columns::decode_preamble(message, preamble);
  } else if (entry.header.is(BlockType::footer)) {
    columns::Footer footer;
    out.damage = columns::decode_footer(message, footer);
  }
}

Preamble BlockLoader::load_preamble(const IndexEntry& entry) {
  std::vector<std::uint64_t> raw;
  Preamble preamble;
  if (entry.header.is(BlockType::preamble) && inflate(entry, raw).empty())
    columns::decode_preamble(std::as_bytes(std::span(raw)), preamble);
  return preamble;
}

}  // namespace tailcap::formats::file
