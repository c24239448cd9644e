// Texts inside of messages: names, statements, tags, the fields of errors.
#include <algorithm>

#include "formats/calls/postgresql/connection.h"
#include "formats/calls/postgresql/wire.h"

namespace tailcap::formats::calls::postgresql {
namespace {

Field field_of(Step step, char code) {
  switch (step) {
    case Step::definition:
      return Field::definition;
    case Step::statement:
      return Field::statement;
    case Step::reference:
      return Field::reference;
    case Step::tag:
      return Field::rows;
    case Step::error_text:
      return code == 'C' ? Field::error_code : Field::none;
    default:
      return Field::none;
  }
}

Kept kept_of(Step step, char code) {
  if (step == Step::tag) return {64, false, true, ""};  // the server's COMPLETION_TAG_BUFSIZE
  if (step == Step::error_text) {
    const bool known = code == 'C' || code == 'V';
    return {static_cast<std::uint8_t>(!known ? 0 : code == 'C' ? 5 : 7), false, false, ""};  // 42P01, WARNING
  }
  return kName;
}

}  // namespace

Token Postgresql::text(Side side, Reading& in, std::string_view bytes) {
  const Field field = field_of(in.step, in.code);
  if (bytes[0] == 0) return text_end(side, in, field);
  // The body ends with a NUL byte, at the latest.
  const std::size_t most = std::min<std::size_t>(bytes.size(), in.left - 1);
  if (most == 0) return {};
  const auto used = [&in](std::size_t n) {
    in.left -= static_cast<std::uint32_t>(n);
    return n;
  };
  bytes = bytes.substr(0, most);
  if (in.step != Step::statement && !in.hidden) {
    const Kept kept = kept_of(in.step, in.code);
    std::size_t n = 0;
    while (n < most && in.shown < kept.most && kept.holds(bytes[n])) {
      n++;
      in.shown++;
    }
    if (n > 0) {
      if (in.code == 'V' && in.step == Step::error_text && in.shown == n) fatal_ = has("FP", bytes[0]);
      return {.size = used(n), .field = field};
    }
    in.hidden = true;
  }
  return {.size = used(std::min(most, bytes.find('\0'))),
          .part = in.step == Step::statement ? Part::statement : Part::value,
          .field = field};
}

Token Postgresql::text_end(Side side, Reading& in, Field field) {
  const Step ended = in.step;
  std::uint32_t least = 0;  // bytes that have to follow
  if (ended == Step::definition) in.step = Step::statement, least = 3;
  if (ended == Step::statement && in.type == 'P') in.step = Step::rest, least = 2;
  if (ended == Step::portal && in.type == 'B') in.step = Step::reference, least = 7;
  if (ended == Step::portal && in.type == 'E') in.step = Step::row_limit, least = 4;
  if (ended == Step::reference) in.step = Step::rest, least = 6;
  if (ended == Step::error_text) in.step = Step::field_code, least = 1;
  in.left--;
  in.shown = 0;
  in.hidden = false;
  const bool last = in.step == ended;
  if (last ? in.left != 0 : in.left < least || (in.step == Step::row_limit && in.left != 4)) return {};
  const Token token{.size = 1, .field = field, .text_ends = field != Field::none};
  return last ? done(side, in, token) : token;
}

Token Postgresql::field_code(Reading& in, char code) {
  in.left--;
  in.code = code;
  if (code == 0) return in.left == 0 ? done(Side::responses, in, {.size = 1}) : Token{};
  in.step = Step::error_text;
  return {.size = in.left >= 2 ? std::size_t{1} : 0};
}

}  // namespace tailcap::formats::calls::postgresql
