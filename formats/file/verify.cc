#include "formats/file/verify.h"

#include <algorithm>

#include "formats/file/block_loader.h"

namespace tailcap::formats::file {
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
  Time first = kNoTime, last = kNoTime;
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
    if (header.has_events() && !known(first)) first = header.first;
    last = std::max(last, header.last);
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
  if (index.out_of_proportion)
    note_stop(progress_of(file.identity()), file.name(), StopReason::many_events,
              known(first) ? last - first : Duration{}, 0);
  return result;
}

}  // namespace tailcap::formats::file
