#include "formats/verify.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "formats/block_loader.h"

namespace tailcap::formats {
namespace {

std::string type_name(std::uint8_t type) {
  switch (static_cast<BlockType>(type)) {
    case BlockType::preamble:
      return "preamble";
    case BlockType::events:
      return "events";
    case BlockType::keyframe:
      return "keyframe";
    case BlockType::footer:
      return "footer";
  }
  return "unknown";
}

}  // namespace

std::vector<BlockStatus> verify(const InputFile& file, const BlockIndex& index, BlockWriter* copy_to) {
  std::vector<BlockStatus> result;
  BlockLoader loader(file);
  LoadedBlock block;
  for (const IndexEntry& entry : index.entries) {
    BlockStatus status;
    status.offset = entry.offset;
    status.stored_bytes = entry.bytes;
    if (entry.what == IndexEntry::What::gap) {
      status.type = "unknown";
      status.damage = entry.damage;
      status.first = entry.since;
      status.last = entry.until;
      result.push_back(std::move(status));
      continue;
    }
    const BlockHeader& header = entry.header;
    loader.load(entry, block);
    status.sequence = header.sequence;
    status.type = type_name(header.type);
    status.events = header.events;
    status.raw_bytes = header.raw_size;
    status.first = header.first;
    status.last = header.last;
    status.damage = block.damage;
    if (copy_to != nullptr && block.damage.empty() && !header.is(BlockType::footer)) {
      copy_to->copy(header, loader.framed_header(), loader.payload());
    }
    result.push_back(std::move(status));
  }
  return result;
}

std::vector<BlockStatus> recover(const std::string& in, const std::string& out, bool force) {
  const InputFile file(in);
  const BlockIndex index = index_blocks(file);
  std::error_code error;
  if (std::filesystem::equivalent(in, out, error))
    throw std::runtime_error(out + " is the damaged capture itself; name another file to write");
  // What is recovered is as a rule OUT.partial itself.
  BlockWriter writer(out, force, ".recovered.partial");
  auto result = verify(file, index, &writer);
  Time last = kNoTime;
  for (const BlockStatus& status : result) {
    if (status.damage.empty()) last = std::max(last, status.last);
  }
  writer.finish(CaptureState::recovered, last);
  return result;
}

}  // namespace tailcap::formats
