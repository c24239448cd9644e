// What the rules of a writer say of a header field.
#pragma once

#include <cstdint>

namespace tailcap::formats::mask {

// What becomes of the value of a header field. All but the first and the last are judged by the rules.
enum class Value : std::uint8_t {
  masked,
  target,     // a path with a query
  authority,  // a host
  id,         // a number as traces and requests have
  number,
  words,  // of a list: close, gzip, chunked, …
  type,   // a media type
  grpc,   // the name of a coding, or a time
  kept,
};

}  // namespace tailcap::formats::mask
