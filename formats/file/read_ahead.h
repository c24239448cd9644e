// Loads blocks in a given order, ahead of who asks for them, on threads of its own. The result does not depend on them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "formats/file/block_loader.h"

namespace tailcap::formats::file {

class ReadAhead {
 public:
  enum class What { events, messages };  // messages: as BlockLoader::load_message()

  // `plan` are the entries in the order in which next() gives them; file and entries must outlive this. Without workers
  // next() itself does the work.
  ReadAhead(const InputFile& file, std::vector<const IndexEntry*> plan, unsigned workers, What what = What::events);
  ~ReadAhead();

  // The next block, valid until the call after the next. Not beyond the end of the plan.
  LoadedBlock& next();
  // Without workers: what loaded the block.
  const BlockLoader& loader() const { return own_loader_; }

 private:
  struct Slot {
    LoadedBlock block;
    std::size_t position = 0;
    bool ready = false;
    std::exception_ptr error;
  };

  void work();
  void load(BlockLoader& loader, const IndexEntry& entry, LoadedBlock& out) const;
  bool may_start() const;

  const InputFile& file_;
  std::vector<const IndexEntry*> plan_;
  const What what_;
  BlockLoader own_loader_;
  std::mutex mutex_;
  std::condition_variable started_, finished_;
  std::vector<std::unique_ptr<Slot>> slots_;  // position i is in slot i modulo their number
  std::size_t taken_ = 0;                     // blocks that next() gave
  std::size_t begun_ = 0;                     // blocks that a worker began
  std::uint64_t bytes_in_flight_ = 0;
  bool ending_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace tailcap::formats::file
