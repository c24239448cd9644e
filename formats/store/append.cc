#include "formats/store/append.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "formats/columns/collector.h"
#include "formats/file/block_index.h"
#include "formats/file/block_writer.h"
#include "formats/file/marker.h"
#include "formats/file/verify.h"
#include "formats/printable.h"

namespace tailcap::formats {

void append_events(const std::string& path, std::span<const Event> events) {
  const file::InputFile input(path);
  const file::BlockIndex index = file::index_blocks(input);
  if (index.state != CaptureState::complete)
    throw std::runtime_error(printable(path) + " is not a complete capture; `tailcap recover` copies what is sound");
  Time last = kNoTime;
  std::uint16_t stream = 0;
  std::uint8_t flags = 0;
  for (const file::IndexEntry& entry : index.entries) {
    if (entry.what != file::IndexEntry::What::block)
      throw std::runtime_error(printable(path) + " is damaged; `tailcap recover` copies what is sound");
    last = std::max(last, entry.header.last);
    if (entry.header.has_events())
      stream = std::max<std::uint16_t>(stream, static_cast<std::uint16_t>(entry.header.stream + 1));
    if (entry.header.is(BlockType::footer)) flags = entry.header.flags;
  }
  file::BlockWriter writer(path, true, ".noted.partial");
  // What is added has not passed the rules.
  writer.take_strictness();
  flags &= static_cast<std::uint8_t>(~kBlockStrict);
  for (const BlockStatus& status : file::verify(input, index, &writer))
    if (!status.damage.empty())
      throw std::runtime_error(printable(path) + " is damaged; `tailcap recover` copies what is sound");
  columns::Collector collector;
  for (Event event : events) {
    event.time = last;
    collector.add(event);
  }
  // A stream of its own: the numbers of the others go on where they are.
  writer.write(*collector.take(std::make_unique<columns::CollectedBlock>()), BlockType::events, stream);
  writer.set_flags(flags);
  writer.finish(CaptureState::complete, last);
}

}  // namespace tailcap::formats
