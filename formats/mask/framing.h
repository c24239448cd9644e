// What the fields of a head say of the body and of what follows it.
#pragma once

#include <cstdint>
#include <optional>

namespace tailcap::formats::mask {

struct Framing {
  std::optional<std::uint64_t> length;
  bool contradictory = false;  // lengths that differ, or a length that is not a number
  bool chunked = false;        // the final transfer coding
  bool other_coding = false;   // there is one, and the final one is not chunked
  // A head that parsers are known to read differently: of a request, the end of the body is not known.
  bool doubtful = false;
  bool expects = false;  // it waits for a 100 before it sends a body
  bool upgrade = false, h2c = false;
  bool web = false, web_text = false;  // the body is gRPC-Web's

  // It says where a body ends, in whatever way.
  bool any() const { return length || contradictory || doubtful || chunked || other_coding; }
};

}  // namespace tailcap::formats::mask
