#include "analyze/protocols/hpack/block.h"

namespace tailcap::protocols::hpack {

void HeaderBlock::clear() {
  bytes_.clear();
  holes_.clear();
  cut_ = false;
}

void HeaderBlock::append_unknown(std::size_t length) {
  if (length == 0) return;
  const std::size_t begin = bytes_.size();
  bytes_.append(length, '\0');
  if (!holes_.empty() && (holes_.back().end == begin || holes_.size() == kMaxHoles))
    holes_.back().end = bytes_.size();  // at the limit this takes known bytes for unknown, never the other way
  else
    holes_.push_back({begin, bytes_.size()});
}

bool HeaderBlock::known(std::size_t begin, std::size_t end) const {
  for (const Hole& hole : holes_)
    if (hole.begin < end && begin < hole.end) return false;
  return true;
}

}  // namespace tailcap::protocols::hpack
