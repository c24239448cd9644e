// The head of an HTTP/1 message: start line and fields, RFC 9112 sections 2 to 6.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "analyze/model/wire/message.h"

namespace tailcap::protocols {

// Longer ones are not HTTP; servers refuse them far earlier (nginx 8 KiB, Node 16 KiB, Go 1 MiB in all).
inline constexpr std::size_t kMaxMethod = 32;
inline constexpr std::size_t kMaxHead = 256u << 10;
inline constexpr std::size_t kMaxFields = 1024;

// The fields' statements about the end of the message and what follows it.
struct Framing {
  bool chunked = false;       // the final transfer coding
  bool other_coding = false;  // there is a transfer coding, and the final one is not chunked
  std::optional<std::uint64_t> length;
  bool contradictory = false;      // lengths that differ, or a length that is no number
  bool length_and_coding = false;  // both: the classic request smuggling
  bool close = false, keep_alive = false, upgrade = false, expects_continue = false;
  bool malformed = false;  // a rule was broken and tolerated
  bool operator==(const Framing&) const = default;
};

enum class Guess : std::uint8_t { undecided, request, response, neither };
// The protocol that these first bytes of a connection may begin.
Guess guess(std::string_view bytes);

// One past the blank line that ends the head, or npos. `from`: the bytes before it are known not to contain the end.
std::size_t head_end(std::string_view bytes, std::size_t from = 0);

// Start lines without their line end. False: it is none; `message` may have been modified.
bool parse_request_line(std::string_view line, model::Message& message, Framing& framing);
bool parse_status_line(std::string_view line, model::Message& message);

// A whole head, or (whole == false) the beginning of one; only its complete lines are used. False: there is no valid
// start line.
bool parse_head(std::string_view text, bool request, bool whole, model::Message& message, Framing& framing);

// One trailer line without its line end.
void parse_field(std::string_view line, model::Headers& fields, Framing& framing);

// A start line followed by at least one field or the end of the head, all of it faultless: enough to trust that a
// message starts here although what came before is not known.
bool verified_start(std::string_view bytes, bool request);

}  // namespace tailcap::protocols
