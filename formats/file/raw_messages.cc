#include "formats/file/raw_messages.h"

#include "formats/file/block_index.h"
#include "formats/file/block_loader.h"

namespace tailcap::formats {

void each_raw_message(const std::string& path, const std::function<void(std::span<const std::byte>)>& visit) {
  const file::InputFile file(path);
  file::BlockLoader loader(file);
  file::LoadedBlock block;
  for (const file::IndexEntry& entry : file::index_blocks(file).entries) {
    if (entry.what != file::IndexEntry::What::block) continue;
    loader.load_message(entry, block);
    if (block.damage.empty()) visit(block.message());
  }
}

}  // namespace tailcap::formats
