// Texts that are kept until all of them are let go. A view of one stays valid while others are added.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace tailcap::redact {

class Texts {
 public:
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    while (at_ < chunks_.size() && chunks_[at_].size - used_ < text.size()) {
      ++at_;
      used_ = 0;
    }
    if (at_ == chunks_.size()) {
      const std::size_t size = std::max(kChunk, text.size());
      chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    }
    char* const place = chunks_[at_].bytes.get() + used_;
    std::copy(text.begin(), text.end(), place);
    used_ += text.size();
    return {place, text.size()};
  }
  void clear() {
    std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.size > kChunk; });
    at_ = used_ = 0;
  }

 private:
  static constexpr std::size_t kChunk = 64u << 10;
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::vector<Chunk> chunks_;
  std::size_t at_ = 0, used_ = 0;  // in chunk at_
};

}  // namespace tailcap::redact
