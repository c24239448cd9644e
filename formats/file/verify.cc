#include "formats/file/verify.h"

#include <algorithm>

#include "formats/file/read_ahead.h"
#include "ground/threads/workers.h"

namespace tailcap::formats::file {
namespace {

// More decoding threads than this outrun every consumer.
constexpr unsigned kMaxWorkers = 4;

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

unsigned workers_for(unsigned threads) {
  if (threads == 0) threads = ground::workers_of(0);
  return threads <= 1 ? 0 : std::min(threads - 1, kMaxWorkers);
}

BlockStatus status_of(const IndexEntry& entry) {
  BlockStatus status;
  status.offset = entry.offset;
  status.stored_bytes = entry.bytes;
  if (entry.what == IndexEntry::What::gap) {
    status.type = "unknown";
    status.damage = entry.damage;
    status.first = entry.since;
    status.last = entry.until;
    return status;
  }
  status.sequence = entry.header.sequence;
  status.type = type_name(entry.header.type);
  status.events = entry.header.events;
  status.raw_bytes = entry.header.raw_size;
  status.first = entry.header.first;
  status.last = entry.header.last;
  return status;
}

std::vector<BlockStatus> verify(const InputFile& file, const BlockIndex& index, BlockWriter* copy_to,
                                unsigned workers) {
  std::vector<BlockStatus> result;
  std::vector<const IndexEntry*> blocks;
  for (const IndexEntry& entry : index.entries)
    if (entry.what == IndexEntry::What::block) blocks.push_back(&entry);
  ReadAhead ahead(file, std::move(blocks), copy_to != nullptr ? 0 : workers);
  Time first = kNoTime, last = kNoTime;
  for (const IndexEntry& entry : index.entries) {
    BlockStatus& status = result.emplace_back(status_of(entry));
    if (entry.what == IndexEntry::What::gap) continue;
    const BlockHeader& header = entry.header;
    if (header.has_events() && !known(first)) first = header.first;
    last = std::max(last, header.last);
    status.damage = ahead.next().damage;
    if (copy_to != nullptr && status.damage.empty() && !header.is(BlockType::footer))
      copy_to->copy(header, ahead.loader().framed_header(), ahead.loader().payload());
  }
  if (index.out_of_proportion)
    note_stop(progress_of(file.identity()), file.name(), StopReason::many_events,
              known(first) ? last - first : Duration{}, 0);
  return result;
}

}  // namespace tailcap::formats::file
