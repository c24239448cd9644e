#include "analyze/model/packed/bytes.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

namespace tailcap::model {

std::uint32_t PackedBytes::add(std::span<const std::uint8_t> value) {
  assert(!value.empty() && value.size() <= kMost);
  if (kMost - used_ < value.size()) {
    if (chunks_.size() == UINT32_MAX / kMost)
      throw std::runtime_error("more requests than fit into one analysis: read a part of the capture (--from, --to)");
    chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kMost));
    used_ = 0;
  }
  std::ranges::copy(value, chunks_.back().get() + used_);
  const auto place = static_cast<std::uint32_t>((chunks_.size() - 1) * kMost + used_);
  used_ += value.size();
  return place;
}

}  // namespace tailcap::model
