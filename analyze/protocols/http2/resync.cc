#include "analyze/protocols/http2/resync.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tailcap::protocols::http2 {

void Resync::clear() {
  held_.clear();
  held_bytes_ = have_ = 0;
  seen_ = 0;
  block_ = 0;
  certain_ = hidden_ = false;
}

std::vector<HeldRun> Resync::take() {
  std::vector<HeldRun> runs = std::move(held_);
  clear();
  return runs;
}

Resync::Chain Resync::follow(const model::ByteRun& run, const FrameJudge& judge) {
  Cursor cursor(run);
  for (;;) {
    if (next_ >= run.offset + run.length) return certain_ && whole() ? Chain::proved : Chain::holds;
    cursor.skip(next_ - cursor.offset());
    const std::string_view known = cursor.known().substr(0, kFrameHeader - have_);
    if (known.empty()) return seen_ > 1 && have_ == 0 && block_ == 0 ? Chain::hidden : Chain::broken;
    std::memcpy(header_ + have_, known.data(), known.size());
    have_ += known.size();
    next_ += known.size();
    if (have_ < kFrameHeader) continue;
    have_ = 0;
    const FrameHeader h = parse_frame_header({header_, kFrameHeader});
    // A receiver may have allowed longer frames before the recording began. That is no reason to drop what came before
    // one.
    const bool data_behind = h.type == FrameType::data && seen_ > 0;
    if (!plausible(h, data_behind ? kLargestMaxFrame : longest_)) return Chain::broken;
    const bool continues = h.type == FrameType::continuation;
    if (continues != (block_ != 0) || (continues && h.stream != block_)) return Chain::broken;
    const bool opens = h.type == FrameType::headers || h.type == FrameType::push_promise || continues;
    block_ = opens && !h.has(kEndHeaders) ? h.stream : 0;
    const Fit fit = judge ? judge(h) : Fit::possible;
    if (fit == Fit::no) return Chain::broken;
    certain_ = certain_ || fit == Fit::certain;
    next_ += h.length;
    if (++seen_ == kChain || (certain_ && seen_ > 1)) return Chain::proved;
  }
}

bool Resync::push(const model::ByteRun& run, const FrameJudge& judge) {
  if (run.gap > 0 || run.offset != expected_ || hidden_) clear();  // bytes are missing
  expected_ = run.offset + run.length;
  if (run.length == 0) return false;
  for (;;) {
    const bool fresh = held_.empty();
    if (fresh) {
      clear();
      next_ = run.offset;
    }
    const Chain chain = follow(run, judge);
    if (chain != Chain::broken) {
      held_.emplace_back(run);
      held_bytes_ += run.head.size() + run.tail.size();
      if (chain == Chain::proved) return true;
      hidden_ = chain == Chain::hidden;
      if (hidden_) return false;
      if (held_.size() <= kMaxHeldRuns && held_bytes_ <= kMaxHeldBytes) return false;
    }
    clear();
    if (fresh) return false;  // otherwise this run is the next candidate
  }
}

}  // namespace tailcap::protocols::http2
