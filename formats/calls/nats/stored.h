// What JetStream says of a message that it stored: to its publisher, {"stream":"ORDERS", "seq":17}, and in the reply
// subject of each delivery. A name is hidden: its length is what both have of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/calls/nats/wire.h"

namespace tailcap::formats::calls::nats {

struct Stored {
  std::uint32_t stream = 0;    // the length of its name; 0: nothing is known
  std::uint64_t sequence = 0;  // in the stream; 0: nothing is known
  std::uint64_t at = 0;        // ns since 1970, by the server; 0: not said

  // The same for the publisher and all consumers; other streams may have the same. 0: nothing is known.
  std::uint64_t hash() const {
    if (stream == 0 || sequence == 0) return 0;
    return (sequence * 0x9e3779b97f4a7c15u ^ stream * 0xbf58476d1ce4e5b9u) | 1;
  }
};

// The text of an answer, sign by sign. Each sign is judged by the kept ones before it.
class StoredAnswer {
 public:
  // Whether the next byte is kept. None behind the first that such an answer does not have there.
  bool keeps(char c) const {
    switch (at_) {
      case At::head:
        return c == kHead[matched_];
      case At::name:
        return c == '"';
      case At::middle:
        return c == kMiddle[matched_];
      case At::sequence:
        return (is_digit(c) && digits_ < kMostIdDigits) || (c == '}' && digits_ > 0);
      default:
        return false;
    }
  }
  void take(char c, bool kept) {
    if (!kept) {
      if (at_ != At::name || ++stored_.stream > kLongestName) give_up();
      return;
    }
    if (at_ == At::sequence) {
      ++digits_;
      if (c == '}')
        at_ = At::end;
      else
        stored_.sequence = stored_.sequence * 10 + static_cast<std::uint64_t>(c - '0');
    } else if (at_ == At::name) {
      at_ = At::middle;
      matched_ = 1;
    } else if (++matched_ == (at_ == At::head ? kHead : kMiddle).size()) {
      at_ = at_ == At::head ? At::name : At::sequence;
      matched_ = 0;
    }
  }
  void give_up() { at_ = At::none; }
  bool given_up() const { return at_ == At::none; }
  // Once all of it was taken.
  Stored stored() const { return at_ == At::end ? stored_ : Stored(); }

 private:
  static constexpr std::string_view kHead = "{\"stream\":\"", kMiddle = "\", \"seq\":";
  static constexpr std::uint32_t kLongestName = 255;
  enum class At : std::uint8_t { head, name, middle, sequence, end, none };

  At at_ = At::head;
  std::uint8_t matched_ = 0, digits_ = 0;
  Stored stored_;
};

}  // namespace tailcap::formats::calls::nats
