// What the client sends: its beginning, queries, and what it prepares and executes.
#include "formats/calls/postgresql/connection.h"
#include "formats/calls/postgresql/wire.h"

namespace tailcap::formats::calls::postgresql {
namespace {

constexpr std::uint16_t kMaxReplies = 60'000;  // of one PREPARE

}  // namespace

// The last of the eight bytes tells what the message is, so that a call begins with it.
Token Postgresql::startup(Reading& in, std::string_view bytes) {
  std::size_t n = 0;
  while (n < bytes.size() && in.gathered < 7) {
    in.number = in.number << 8 | static_cast<std::uint8_t>(bytes[n++]);
    in.gathered++;
  }
  if (n > 0) return in.number >> 8 * (in.gathered - 1) == 0 ? Token{.size = n} : Token{};
  const std::uint64_t head = in.number << 8 | static_cast<std::uint8_t>(bytes[0]);
  const std::uint64_t size = head >> 32, code = head & 0xffff'ffff;
  in.number = 0;
  in.gathered = 0;
  if (size == 8 && (code == kSslRequest || code == kGssRequest)) return {.size = 1};
  const bool cancel = code == kCancelRequest, start = code >> 16 == 3;
  if (!(cancel && size >= 16 && size <= kMaxCancel) && !(start && size > 8 && size <= kMaxStartup)) return {};
  in.type = cancel ? 'X' : 0;
  in.left = static_cast<std::uint32_t>(size - 8);
  in.step = Step::rest;
  in.open = start;
  return {.size = 1, .begins = start};
}

Token Postgresql::request_type(Reading& in, char type) {
  if (lengths_of(Side::requests, type) == nullptr) return {};
  in.type = type;
  in.step = Step::length;
  if (in.open || !has("QPBDEF", type)) return {.size = 1};
  in.open = true;
  bound_ = false;
  replies_ = 0;
  return {.size = 1, .begins = true};
}

Token Postgresql::request_done(Reading& in, Token token) {
  bool room = true;
  const char type = in.type;
  const auto ends = [&](Ask kind, std::string_view operation) {
    token.ends = true;
    token.operation = operation;
    in.open = false;
    room = asked_.ask(kind, replies_);
  };
  if (type == 0) {
    ends(Ask::connect, "CONNECT");
  } else if (type == 'Q' || type == 'F') {
    ends(Ask::query, type == 'F' ? "FUNCTION" : "");
  } else if (type == 'E') {
    ends(Ask::execute, bound_ ? "" : "FETCH");
  } else if (type == 'H' || type == 'S') {
    // Drivers flush between Bind and Execute (pg8000): these are one call.
    if (in.open && (type == 'S' || !bound_)) ends(Ask::prepare, "PREPARE");
    if (type == 'S') room = room && asked_.ask(Ask::sync);
  } else if (in.open && has("PBDC", type)) {
    bound_ = bound_ || type == 'B';
    room = ++replies_ < kMaxReplies;
  }
  return room ? token : Token{};
}

}  // namespace tailcap::formats::calls::postgresql
