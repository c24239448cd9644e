// The messages of one push. Slots are used again with the memory of their strings.
#pragma once

#include <span>
#include <vector>

#include "analyze/model/wire/message.h"

namespace tailcap::protocols {

class Messages {
 public:
  void clear() { used_ = 0; }
  // Takes the message and leaves a fresh one in its place.
  void take(model::Message& message) {
    if (used_ == slots_.size()) slots_.emplace_back();
    model::hand_over(message, slots_[used_++]);
    model::renew(message);
  }
  std::span<const model::Message> all() const { return std::span(slots_).first(used_); }
  model::Message& at(std::size_t i) { return slots_[i]; }  // i < all().size()

 private:
  std::vector<model::Message> slots_;
  std::size_t used_ = 0;
};

}  // namespace tailcap::protocols
