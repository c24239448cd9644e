#include "formats/calls/postgresql/postgresql.h"

#include <algorithm>
#include <span>

#include "formats/calls/postgresql/connection.h"
#include "formats/calls/postgresql/wire.h"

namespace tailcap::formats::calls::postgresql {
namespace {

Step body_of(Side side, char type) {
  struct Body {
    std::string_view types;
    Step step;
  };
  static constexpr Body kOfRequests[] = {
      {"Q", Step::statement}, {"P", Step::definition}, {"BE", Step::portal}, {"DC", Step::target}};
  static constexpr Body kOfResponses[] = {{"C", Step::tag}, {"E", Step::field_code}, {"Z", Step::status}};
  for (const Body& body : side == Side::requests ? std::span<const Body>(kOfRequests) : kOfResponses)
    if (has(body.types, type)) return body.step;
  return Step::rest;
}

}  // namespace

bool end_counts(Side side, char type) {
  return side == Side::requests ? has(std::string_view("QEFSH\0", 6), type) : has("123nsICETAZ", type);
}

Token Postgresql::read(Side side, Reading& in, std::string_view bytes) {
  switch (in.step) {
    case Step::startup:
      return startup(in, bytes);
    case Step::type:
      return side == Side::requests ? request_type(in, bytes[0]) : response_type(in, bytes[0]);
    case Step::length:
      return length(side, in, bytes);
    case Step::rest:
      return rest(side, in, bytes);
    case Step::field_code:
      return field_code(in, bytes[0]);
    case Step::target:
      if (!has("SP", bytes[0])) return {};
      in.left--;
      in.step = Step::portal;
      return {.size = 1};
    case Step::row_limit: {
      const std::size_t n = std::min<std::size_t>(in.left, bytes.size());
      in.left -= static_cast<std::uint32_t>(n);
      return in.left == 0 ? done(side, in, {.size = n}) : Token{.size = n};
    }
    case Step::status:
      if (!is_status(bytes[0])) return {};
      in.left = 0;
      return done(side, in, {.size = 1});
    case Step::lost:
      return {};
    default:
      return text(side, in, bytes);
  }
}

Token Postgresql::length(Side side, Reading& in, std::string_view bytes) {
  const Token token{.size = std::min<std::size_t>(4u - in.gathered, bytes.size())};
  for (std::size_t i = 0; i < token.size; i++) in.number = in.number << 8 | static_cast<std::uint8_t>(bytes[i]);
  in.gathered = static_cast<std::uint8_t>(in.gathered + token.size);
  if (in.gathered < 4) return token;
  const std::uint64_t size = in.number;
  in.gathered = 0;
  in.number = 0;
  if (!legal_length(side, in.type, size)) return {};
  in.left = static_cast<std::uint32_t>(size - 4);
  in.step = body_of(side, in.type);
  in.shown = 0;
  in.hidden = false;
  return in.left == 0 ? done(side, in, token) : token;
}

// If the last byte can end a call, it is a token of its own, so that it is not left out with a long value.
Token Postgresql::rest(Side side, Reading& in, std::string_view bytes) {
  const bool counts = end_counts(side, in.type);
  Token token{.size = std::min<std::size_t>(bytes.size(), in.left), .part = Part::value};
  if (counts && token.size == in.left && token.size > 1) token.size--;
  in.left -= static_cast<std::uint32_t>(token.size);
  if (in.left > 0) return token;
  // The end of a text, or the format of a column.
  if (counts && (bytes[0] == 0 || bytes[0] == 1)) token.part = Part::framing;
  return done(side, in, token);
}

Token Postgresql::done(Side side, Reading& in, Token token) {
  in.step = Step::type;
  return side == Side::requests ? request_done(in, token) : response_done(in, token);
}

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Postgresql>(from_beginning); }

}  // namespace tailcap::formats::calls::postgresql
