// The messages of one push. Slots are used again with the memory of their strings.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "analyze/model/wire/message.h"

namespace tailcap::protocols {

// Back to a fresh message, keeping what its strings have allocated.
inline void renew(model::Message& m) {
  model::Message fresh;
  fresh.method.swap(m.method);
  fresh.target.swap(m.target);
  std::swap(fresh.headers, m.headers);
  std::swap(fresh.trailers, m.trailers);
  fresh.method.clear();
  fresh.target.clear();
  fresh.headers.clear();
  fresh.trailers.clear();
  m = std::move(fresh);
}

class Messages {
 public:
  void clear() { used_ = 0; }
  // Takes the message and leaves a fresh one in its place.
  void take(model::Message& message) {
    if (used_ == slots_.size()) slots_.emplace_back();
    std::swap(slots_[used_++], message);
    renew(message);
  }
  std::span<const model::Message> all() const { return std::span(slots_).first(used_); }
  model::Message& at(std::size_t i) { return slots_[i]; }  // i < all().size()

 private:
  std::vector<model::Message> slots_;
  std::size_t used_ = 0;
};

}  // namespace tailcap::protocols
