#include "formats/skim/skim.h"

#include <vector>

#include "formats/columns/message.h"
#include "formats/file/block_index.h"
#include "formats/file/block_loader.h"
#include "formats/file/read_ahead.h"
#include "formats/file/verify.h"

namespace tailcap::formats {

using file::BlockIndex;
using file::IndexEntry;
using file::InputFile;
using file::LoadedBlock;
using file::ReadAhead;

struct Skim::Impl {
  InputFile file;
  BlockIndex index;
  std::vector<const IndexEntry*> order;
  Preamble preamble;
  ReadAhead ahead;
  std::size_t next = 0;
  const IndexEntry* now = nullptr;
  bool sound = true;

  Impl(const std::string& path, unsigned threads)
      : file(path),
        index(file::index_blocks(file)),
        order(file::delivery_order(index)),
        ahead(file, blocks(order), file::workers_for(threads), ReadAhead::What::messages) {
    if (!index.entries.empty() && index.entries.front().what == IndexEntry::What::block)
      preamble = file::BlockLoader(file).load_preamble(index.entries.front());
  }

  static std::vector<const IndexEntry*> blocks(const std::vector<const IndexEntry*>& order) {
    std::vector<const IndexEntry*> out;
    for (const IndexEntry* entry : order)
      if (entry->what == IndexEntry::What::block) out.push_back(entry);
    return out;
  }
};

Skim::Skim(const std::string& path, unsigned threads) : impl_(std::make_unique<Impl>(path, threads)) {}
Skim::~Skim() = default;

const Preamble& Skim::preamble() const { return impl_->preamble; }
bool Skim::sound() const { return impl_->sound; }
std::size_t Skim::place() const { return impl_->next - 1; }
Time Skim::last() const { return impl_->now->header.last; }
std::uint64_t Skim::events() const { return impl_->now->header.events; }

bool Skim::next(EventChoice& choice) {
  Impl& i = *impl_;
  if (!i.sound || i.next == i.order.size()) return false;
  i.now = i.order[i.next++];
  if (i.now->what == IndexEntry::What::gap) return i.sound = false;
  const LoadedBlock& block = i.ahead.next();
  i.sound = block.damage.empty();
  if (i.sound && i.now->header.has_events())
    i.sound = columns::choose_events(block.message(), i.now->header, choice).empty();
  return i.sound;
}

}  // namespace tailcap::formats
