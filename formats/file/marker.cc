#include "formats/file/marker.h"

#include "formats/file/block_index.h"

namespace tailcap::formats {

Marker marker_of(const std::string& path) {
  const file::InputFile file(path);
  Marker marker;
  bool strict[2] = {false, false};
  for (const file::IndexEntry& entry : file::index_blocks(file).entries) {
    if (entry.what != file::IndexEntry::What::block || (entry.header.flags & kBlockRedacted) == 0) continue;
    const bool is_strict = (entry.header.flags & kBlockStrict) != 0;
    if (entry.header.is(BlockType::preamble)) {
      marker.preamble = true;
      strict[0] = is_strict;
    } else if (entry.header.is(BlockType::footer)) {
      marker.footer = true;
      strict[1] = is_strict;
    }
  }
  marker.strict = strict[0] && strict[1];
  return marker;
}

}  // namespace tailcap::formats
