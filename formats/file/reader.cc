#include "formats/file/reader.h"

#include <algorithm>
#include <array>

#include "formats/bounds/read_limits.h"
#include "formats/bounds/read_progress.h"
#include "formats/file/block_index.h"
#include "formats/file/block_loader.h"
#include "formats/file/read_ahead.h"
#include "formats/file/verify.h"

namespace tailcap::formats {
namespace {

using file::BlockIndex;
using file::BlockLoader;
using file::IndexEntry;
using file::InputFile;
using file::LoadedBlock;
using file::ReadAhead;

// Events delivered at once, between two looks at the memory.
constexpr std::size_t kSlice = 512;

}  // namespace

struct Reader::Impl {
  InputFile file;
  BlockIndex index;
  Preamble preamble;
  ReaderOptions options;
  std::vector<const IndexEntry*> order;
  std::unique_ptr<ReadAhead> ahead;
  std::size_t at = 0;
  Time first = kNoTime, last = kNoTime, block_last = kNoTime;
  bool ended = false;
  std::array<Event, 2> made;       // by the reader: Damage, CaptureEnd; the last and the one before,
  std::size_t made_last = 0;       // which is the other
  std::span<const Event> pending;  // of the block that is being delivered
  std::uint64_t delivered = 0;     // events of blocks
  file::ReadProgress& progress;
  const file::ReadProgress earlier;  // as earlier readings left it
  bool stopped = false;

  Impl(const std::string& path, ReaderOptions o)
      : file(path),
        index(file::index_blocks(file)),
        options(o),
        order(file::delivery_order(index)),
        progress(file::progress_of(file.identity())),
        earlier(progress) {
    BlockLoader loader(file);
    if (!index.entries.empty() && index.entries.front().what == IndexEntry::What::block)
      preamble = loader.load_preamble(index.entries.front());
  }

  void start() {
    if (ahead || ended) return;
    std::vector<const IndexEntry*> blocks;
    for (std::size_t i = at; i < order.size(); ++i) {
      if (order[i]->what == IndexEntry::What::block) blocks.push_back(order[i]);
    }
    ahead = std::make_unique<ReadAhead>(file, std::move(blocks), file::workers_for(options.threads));
  }

  std::span<const Event> make(Time time, Body body) {
    made_last = 1 - made_last;
    made[made_last] = {time, {}, body};
    return {&made[made_last], 1};
  }

  std::span<const Event> next() {
    start();
    while (!stopped && !ended) {
      if (!pending.empty()) {
        const auto events = slice();
        if (events.empty()) break;
        return events;
      }
      last = std::max(last, block_last);
      if (at == order.size()) {
        if (index.out_of_proportion) stop(StopReason::many_events);
        break;
      }
      const IndexEntry& entry = *order[at++];
      if (entry.what == IndexEntry::What::gap) {
        last = std::max(last, entry.until);
        return make(entry.until, Damage{entry.since, entry.bytes});
      }
      const LoadedBlock& block = ahead->next();
      if (!known(first)) first = entry.header.first;
      block_last = entry.header.last;
      if (!block.damage.empty()) return make(block_last, Damage{entry.header.first, entry.bytes});
      pending = block.events;
    }
    if (ended) {
      if (!stopped) ahead.reset();  // what follows a reading needs the memory
      return {};
    }
    ended = progress.read_once = true;
    return make(last, CaptureEnd{index.state});
  }

  // A part of the block: a few events can expand so much that the limits must be checked in between. Empty: stopped.
  std::span<const Event> slice() {
    std::size_t n = std::min(pending.size(), kSlice);
    if (earlier.stopped != StopReason::none)
      n = std::min<std::uint64_t>(n, earlier.events - std::min(delivered, earlier.events));
    // The objects made from the events may have reached a limit, too.
    if (n == 0 || progress.stopped != earlier.stopped)
      stop(progress.stopped);
    else if (resident_bytes() > allowed_memory(progress))
      stop(StopReason::memory);
    if (stopped) return {};
    const auto events = pending.first(n);
    pending = pending.subspan(n);
    delivered += n;
    for (const Event& event : events) last = std::max(last, event.time);
    return events;
  }

  void stop(StopReason reason) {
    stopped = true;
    pending = {};  // CaptureEnd is next, between blocks; events of this block may still be in use
    file::note_stop(progress, file.name(), reason, known(first) ? last - first : Duration{}, delivered);
  }
};

Reader::Reader(const std::string& path, ReaderOptions options) : impl_(std::make_unique<Impl>(path, options)) {}
Reader::~Reader() = default;

const Preamble& Reader::preamble() const { return impl_->preamble; }
void Reader::begin_at(std::size_t place) { impl_->at = std::min(place, impl_->order.size()); }
void Reader::start() { impl_->start(); }
std::span<const Event> Reader::next() { return impl_->next(); }
bool Reader::between_blocks() const { return impl_->pending.empty(); }
std::vector<BlockStatus> Reader::check() {
  return file::verify(impl_->file, impl_->index, nullptr, file::workers_for(impl_->options.threads));
}

FileSummary Reader::summary() {
  FileSummary s;
  s.state = impl_->index.state;
  s.file_bytes = impl_->file.size();
  for (const IndexEntry& entry : impl_->index.entries) {
    if (entry.what == IndexEntry::What::gap) {
      ++s.damaged_blocks;
      s.damaged_bytes += entry.bytes;
      continue;
    }
    ++s.blocks;
    s.raw_bytes += entry.header.raw_size;
    if (entry.header.type > static_cast<std::uint8_t>(BlockType::footer)) ++s.unknown_blocks;
    if (!entry.header.has_events()) continue;
    s.events += entry.header.events;
    s.lost += entry.header.lost;
    if (!known(s.first) || entry.header.first < s.first) s.first = entry.header.first;
    s.last = std::max(s.last, entry.header.last);
  }
  if (impl_->stopped && known(impl_->last)) s.last = impl_->last;
  return s;
}

}  // namespace tailcap::formats
