// The beginning of a message head that is not complete yet. The connections of a part together keep a bounded number of
// bytes: a capture of a few kilobytes can hold thousands of connections, each with a head that never ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "analyze/protocols/http1/known_heads.h"
#include "ground/threads/parts.h"

namespace tailcap::protocols {

// What the connections of a part have in common: the bytes that they hold together, and the heads known of earlier
// messages.
struct HeldHeads {
  // As much as HTTP/2 keeps; 1,000 clients that send 64 kB slowly fit into the parts.
  static constexpr std::size_t kMax = (64u << 20) / ground::kParts;
  std::size_t bytes = 0;
  KnownHeads known;
};

class HeadBuffer {
 public:
  explicit HeadBuffer(HeldHeads& all) : all_(all) {}
  ~HeadBuffer() { clear(); }
  HeadBuffer(const HeadBuffer&) = delete;
  HeadBuffer& operator=(const HeadBuffer&) = delete;

  // False: there is no room for it. The earlier content stays.
  bool append(std::string_view part) {
    if (all_.bytes + part.size() > HeldHeads::kMax) return false;
    all_.bytes += part.size();
    text_.append(part);
    return true;
  }

  void clear() {
    all_.bytes -= text_.size();
    text_.clear();
    if (text_.capacity() > kKept) text_.shrink_to_fit();
  }

  std::string_view text() const { return text_; }
  KnownHeads& known() { return all_.known; }

 private:
  static constexpr std::size_t kKept = 4096;  // of capacity, by a connection that has no head under way

  HeldHeads& all_;
  std::string text_;
};

}  // namespace tailcap::protocols
