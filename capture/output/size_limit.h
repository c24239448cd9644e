#pragma once

#include <algorithm>
#include <cstdint>

#include "formats/file/writer.h"

namespace tailcap::capture {

// Decides when to stop so that the finished file does not exceed the requested size: the data still to be written is
// estimated by the largest step seen, and the footer's index grows with the blocks.
class SizeLimit {
 public:
  explicit SizeLimit(std::uint64_t most) : most_(most) {}
  bool reached(const formats::WriterTotals& totals) {
    step_ = std::max(step_, totals.file_bytes - last_);
    last_ = totals.file_bytes;
    return totals.file_bytes + 4 * step_ + kFooter + 64 * totals.blocks >= most_;
  }

 private:
  static constexpr std::uint64_t kFooter = 8192;
  std::uint64_t most_, last_ = 0, step_ = 0;
};

}  // namespace tailcap::capture
