// Walks through a run: captured bytes, bytes of which only the number is known, captured bytes.
#pragma once

#include <algorithm>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::protocols {

class Cursor {
 public:
  explicit Cursor(const model::ByteRun& run) : run_(run) {}
  const model::ByteRun& run() const { return run_; }
  bool at_start() const { return at_ == 0; }
  std::uint64_t consumed() const { return at_; }
  std::uint64_t offset() const { return run_.offset + at_; }
  std::uint64_t left() const { return run_.length - at_; }
  void skip(std::uint64_t n) { at_ += n; }
  // Captured bytes from here on; empty where the next byte was not captured.
  std::string_view known() const {
    if (at_ < run_.head.size()) return run_.head.substr(at_);
    const std::uint64_t tail = run_.length - run_.tail.size();
    return at_ >= tail ? run_.tail.substr(at_ - tail) : std::string_view{};
  }
  // Bytes from here on that were not captured.
  std::uint64_t unknown() const { return known().empty() ? run_.length - run_.tail.size() - at_ : 0; }
  // The rest of the run, as a run.
  model::ByteRun rest() const {
    model::ByteRun r = run_;
    r.gap = at_ == 0 ? run_.gap : 0;
    r.offset += at_;
    r.length -= at_;
    if (at_ < run_.head.size()) {
      r.head = run_.head.substr(at_);
    } else {
      r.head = {};
      if (r.tail.size() > r.length) r.tail.remove_prefix(r.tail.size() - r.length);
    }
    return r;
  }

 private:
  const model::ByteRun& run_;
  std::uint64_t at_ = 0;
};

// When the byte at `offset` had arrived; kNoTime: not seen, or a direction that has no arrivals.
inline model::Time arrival_of(const model::ByteRun& run, std::uint64_t offset) {
  if (run.arrivals.empty()) return model::kNoTime;
  if (offset < run.arrivals.front().end) return run.arrivals.front().time;
  const auto it = std::upper_bound(run.arrivals.begin(), run.arrivals.end(), offset,
                                   [](std::uint64_t o, const model::ArrivalMark& m) { return o < m.end; });
  return it == run.arrivals.end() ? model::kNoTime : it->time;
}

}  // namespace tailcap::protocols
