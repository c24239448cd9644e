// Events that outlive the block that they were read from.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "formats/event.h"

namespace tailcap::pipeline {

class KeptEvents {
 public:
  void push(const formats::Event& event);
  std::span<const formats::Event> all() const { return events_; }
  std::size_t size() const { return events_.size(); }
  std::size_t bytes() const { return events_.size() * sizeof(formats::Event) + text_bytes_; }
  // Leaves the first `count`.
  void keep_first(std::size_t count) { events_.resize(count); }

 private:
  std::string_view keep(std::string_view text);

  std::vector<formats::Event> events_;
  std::vector<std::unique_ptr<char[]>> texts_;
  std::size_t used_ = 0, room_ = 0;  // of the last of them
  std::size_t text_bytes_ = 0;
};

}  // namespace tailcap::pipeline
