#include "formats/file/read_ahead.h"

#include <algorithm>
#include <utility>

namespace tailcap::formats::file {
namespace {

// A bound for crafted blocks; ordinary ones have about 1 MiB.
constexpr std::uint64_t kBytesInFlight = 96u << 20;

constexpr std::size_t kHeld = 2;  // blocks that the consumer holds

std::uint64_t cost(const IndexEntry& entry) { return entry.bytes + entry.header.raw_size; }

}  // namespace

ReadAhead::ReadAhead(const InputFile& file, std::vector<const IndexEntry*> plan, unsigned workers, What what)
    : file_(file), plan_(std::move(plan)), what_(what), own_loader_(file) {
  // The consumer holds some, one is with each worker, one waits.
  const std::size_t slots = workers == 0 ? kHeld : kHeld + workers + 1;
  for (std::size_t i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Slot>());
  for (unsigned i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  started_.notify_all();
  for (auto& worker : workers_) worker.join();
}

// The slots of the blocks that the consumer holds, the last that it took, are not free yet.
bool ReadAhead::may_start() const {
  if (begun_ >= plan_.size()) return false;
  const std::size_t first_held = taken_ - std::min(taken_, kHeld);
  if (begun_ - first_held >= slots_.size()) return false;
  const bool awaited = begun_ < taken_;  // by the consumer, which releases nothing before it has it
  return awaited || bytes_in_flight_ + cost(*plan_[begun_]) <= kBytesInFlight;
}

void ReadAhead::load(BlockLoader& loader, const IndexEntry& entry, LoadedBlock& out) const {
  if (what_ == What::events)
    loader.load(entry, out);
  else
    loader.load_message(entry, out);
}

void ReadAhead::work() {
  BlockLoader loader(file_);
  std::unique_lock lock(mutex_);
  while (true) {
    started_.wait(lock, [this] { return ending_ || may_start(); });
    if (ending_) return;
    const std::size_t position = begun_++;
    const IndexEntry& entry = *plan_[position];
    Slot& slot = *slots_[position % slots_.size()];
    bytes_in_flight_ += cost(entry);
    lock.unlock();
    std::exception_ptr error;
    try {
      load(loader, entry, slot.block);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    slot.error = error;
    slot.position = position;
    slot.ready = true;
    finished_.notify_all();
  }
}

LoadedBlock& ReadAhead::next() {
  if (workers_.empty()) {
    Slot& slot = *slots_[taken_ % slots_.size()];
    load(own_loader_, *plan_[taken_++], slot.block);
    return slot.block;
  }
  std::unique_lock lock(mutex_);
  if (taken_ >= kHeld) {
    const std::size_t released = taken_ - kHeld;
    Slot& done = *slots_[released % slots_.size()];
    done.ready = false;
    done.block.release_excess();
    bytes_in_flight_ -= cost(*plan_[released]);
  }
  const std::size_t position = taken_++;
  started_.notify_all();
  Slot& slot = *slots_[position % slots_.size()];
  finished_.wait(lock, [&] { return slot.ready && slot.position == position; });
  if (slot.error) std::rethrow_exception(slot.error);
  return slot.block;
}

}  // namespace tailcap::formats::file
