// Heads that were parsed before. Most messages of a service have one of a few heads, byte by byte, and a block of a
// capture stores equal bytes once: so a head is looked for by the address of its bytes, and found if they are the same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/message.h"
#include "analyze/protocols/http1/head.h"

namespace tailcap::protocols {

class KnownHeads {
 public:
  // If the bytes begin with a known head, as a whole: puts what parse_head() would into a message without fields and
  // a fresh framing, and returns the length of the head. Otherwise 0.
  std::size_t take(std::string_view bytes, bool request, model::Message& message, Framing& framing) const;
  // text: a whole and valid head, which parse_head() made these of. It is known from its second time on.
  void note(std::string_view text, bool request, const model::Message& message, const Framing& framing);

 private:
  static constexpr unsigned kPlacesAsBits = 8;   // far more than the heads that a busy service alternates between
  static constexpr std::size_t kMaxText = 4096;  // of a head: 1 MiB in all, and as much for its fields
  struct Place {
    const char* address = nullptr;  // of the bytes seen last; never followed
    std::string text;               // empty: nothing is known here
    bool request = false;
    model::Protocol protocol = model::Protocol::unknown;
    int status = 0;
    std::string method, target;
    model::Headers fields;
    Framing framing;
  };
  static std::size_t place_of(const char* address);

  std::vector<Place> places_ = std::vector<Place>(std::size_t{1} << kPlacesAsBits);
};

}  // namespace tailcap::protocols
