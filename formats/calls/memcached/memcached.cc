#include "formats/calls/memcached/memcached.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "formats/calls/memcached/commands.h"
#include "formats/calls/memcached/machine.h"

namespace tailcap::formats::calls::memcached {
namespace {

constexpr std::size_t kMaxWord = 256;            // a meta flag holds a key
constexpr std::size_t kMaxLength = 10;           // digits of kMaxData
constexpr std::uint32_t kMaxLine = 2048;         // the server's, for lines that are no get
constexpr std::uint32_t kMaxGetLine = 8u << 20;  // 32,000 of the longest keys
constexpr std::size_t kMaxAsked = 4096;          // more than clients send without an answer
constexpr std::string_view kNoreply = "noreply";

// Closes the word in front of a blank or the end of the line.
void close_word(Direction& d) {
  if (d.word == 0) return;
  if (*d.words == 'R') d.noreply = d.word == kNoreply.size() && d.matched == kNoreply.size();
  if (*d.words == 'F') d.quiet = d.quiet || (d.word == 1 && d.letter_q);
  if (!is_rest(*d.words)) ++d.words;
  d.word = d.matched = 0;
  d.letter_q = false;
}

// Bytes of a word that are kept. `run`: all of it that is there.
std::size_t kept(const Direction& d, std::string_view run) {
  if (*d.words == 'F') return d.word == 0 && is_letter(run[0]) ? 1 : 0;
  if (*d.words != 'R' || d.matched != d.word) return 0;
  const std::string_view rest = kNoreply.substr(std::min<std::size_t>(d.matched, kNoreply.size()));
  const std::size_t most = std::min(rest.size(), run.size());
  return static_cast<std::size_t>(
      std::mismatch(run.begin(), run.begin() + static_cast<std::ptrdiff_t>(most), rest.begin()).first - run.begin());
}

bool is_number(const Direction& d, std::string_view run) {
  if (d.word == 0 && run[0] == '-') run.remove_prefix(1);
  return std::all_of(run.begin(), run.end(), is_digit);
}

// The bytes of CR LF, of which the CR may have come before. 0: it is none.
std::size_t line_break(Direction& d, std::string_view bytes, bool bare) {
  const bool cr = !d.cr && bytes[0] == '\r';
  if (cr && bytes.size() == 1) {
    d.cr = true;
    return 1;
  }
  if (!cr && !d.cr && !bare) return 0;
  d.cr = false;
  const std::size_t n = cr ? 2 : 1;
  return bytes[n - 1] == '\n' ? n : 0;
}

}  // namespace

Token Memcached::lost(Side side) {
  Direction& d = of(side);
  const bool answering = d.answering;
  d = Direction{};
  d.lost = true;
  d.answering = answering;
  if (side == Side::requests) {  // what is asked from here on is unknown
    asked_.clear();
    quietly_ = 0;
    hushed_ = whole_ = false;
    early_ = 0;
  }
  return {};
}

Token Memcached::next(Side side, std::string_view bytes) {
  const Direction& d = of(side);
  if (d.lost || bytes.empty()) return {};
  if (wire_ == Wire::unknown) wire_ = byte(bytes[0]) >= 0x80 ? Wire::binary : Wire::text;
  if (wire_ == Wire::binary) return d.at == At::body ? body(side, bytes) : header(side, bytes);
  return text(side, bytes);
}

Token Memcached::text(Side side, std::string_view bytes) {
  Direction& d = of(side);
  if (d.at == At::data) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(d.left, bytes.size()));
    d.left -= n;
    if (d.left == 0) d.at = At::data_end;
    return {.size = n, .part = Part::value};
  }
  if (d.at == At::data_end) return data_end(side, bytes);
  const bool gets = d.command && (d.command->answers & forms(kValue)) != 0;
  const std::uint32_t room = (gets ? kMaxGetLine : kMaxLine) - d.line;
  const std::uint32_t before = d.line;
  const Token token = d.at == At::start ? name(side, bytes) : words(side, bytes);
  if (token.size > room) return lost(side);
  if (d.at == At::start ? d.head > 0 : d.at == At::words) d.line = before + static_cast<std::uint32_t>(token.size);
  return token;
}

Token Memcached::name(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const bool requests = side == Side::requests, begins = d.head == 0 && !d.open;
  if (!requests && d.head == 0 && is_hidden_digit(bytes[0])) {
    d.form = kNumber;
    if (!begin_line(side)) return lost(side);
    d.blank = true;
    Token token = words(side, bytes);
    token.begins = begins;
    return token;
  }
  std::size_t n = 0;
  while (n < bytes.size() && n <= kMaxName && is_name(side, bytes[n])) ++n;
  if (d.head + n > kMaxName || d.head + n == 0) return lost(side);
  std::copy_n(bytes.data(), n, d.text + d.head);
  d.head = static_cast<std::uint8_t>(d.head + n);
  Token token{.size = n, .begins = begins};
  const Field field = requests ? Field::operation : Field::error_code;
  if (n == bytes.size()) {
    if (requests ? !any_begins(kCommands, d.name()) : !any_begins(kLines, d.name())) return lost(side);
    d.field_open = requests || begins_error(d.name());
    if (d.field_open) token.field = field;
    return token;
  }
  if (!named(side) || !begin_line(side)) return lost(side);
  const bool is_field = requests || d.failed;
  if (n == 0) {
    d.field_open = is_field;
    return words(side, bytes);
  }
  d.field_open = false;
  token.text_ends = is_field;
  if (is_field) token.field = field;
  return token;
}

// False: there is no such line.
bool Memcached::named(Side side) {
  Direction& d = of(side);
  if (side == Side::requests) {
    d.command = find(kCommands, d.name());
    return d.command != nullptr;
  }
  const Line* line = find(kLines, d.name());
  if (!line) return false;
  d.form = static_cast<Form>(line - kLines);
  return true;
}

// False: the line is none that can be here.
bool Memcached::begin_line(Side side) {
  Direction& d = of(side);
  d.at = At::words;
  if (side == Side::requests) {
    d.words = d.command->words;
    return true;
  }
  d.words = kLines[d.form].words;
  const Forms form = forms(d.form);
  d.failed = (form & kErrors) != 0;
  if (d.open) return (d.follow & form) != 0;
  if (!answered(d.form)) return false;
  if (d.form == kValue) d.follow = kGot;
  if (form & forms(kStat, kItem, kPrefix)) d.follow = kListed;
  d.open = d.follow != 0;
  return true;
}

Token Memcached::words(Side side, std::string_view bytes) {
  Direction& d = of(side);
  if (d.cr || bytes[0] == '\r' || bytes[0] == '\n') return line_end(side, bytes);
  const char kind = *d.words;
  if (kind == 'T' && (d.word > 0 || bytes[0] != ' ')) {
    d.word = 1;
    const bool ends = std::exchange(d.field_open, false);
    return {.size = std::min(bytes.find_first_of("\r\n"), bytes.size()), .part = Part::value, .text_ends = ends};
  }
  if (bytes[0] == ' ') {
    close_word(d);
    d.blank = true;
    const bool ends = std::exchange(d.field_open, false);
    return {.size = std::min(bytes.find_first_not_of(' '), bytes.size()), .text_ends = ends};
  }
  if (!d.blank) return lost(side);
  std::size_t n = 0;
  for (; n < bytes.size() && n <= kMaxWord && !is_end(bytes[n]); ++n)
    if (byte(bytes[n]) <= ' ' || bytes[n] == 0x7f) return lost(side);
  if (d.word + n > kMaxWord) return lost(side);
  const std::string_view run = bytes.substr(0, n);
  Token token{.size = n, .part = Part::value};
  bool allowed = true;
  switch (kind) {
    case 'k':
      allowed = d.word + n <= kMaxKey;
      token.part = Part::key;
      token.field = Field::key;
      token.text_ends = n < bytes.size();
      d.field_open = !token.text_ends;
      break;
    case 'n':
      allowed = d.word + n <= kMaxNumber && is_number(d, run);
      token.part = Part::framing;
      break;
    case 'l':
      allowed = d.word + n <= kMaxLength && std::all_of(run.begin(), run.end(), is_digit);
      if (!allowed) break;
      for (const char c : run) d.left = d.left * 10 + (byte(c) - '0');
      allowed = d.left <= kMaxData;
      token.part = Part::framing;
      d.has_data = true;
      break;
    case 'd':
      allowed = d.word + n <= kMaxNumber && std::all_of(run.begin(), run.end(), is_hidden_digit);
      break;
    case 'R':
    case 'F':
      if (const std::size_t k = kept(d, run); k > 0) token = {.size = k};
      if (kind == 'F' && d.word == 0) d.letter_q = run[0] == 'q';
      if (kind == 'R' && token.part == Part::framing) d.matched = static_cast<std::uint8_t>(d.matched + token.size);
      break;
    default:
      allowed = kind == 'w' || kind == 'W';
  }
  if (!allowed) return lost(side);
  d.word = static_cast<std::uint16_t>(d.word + token.size);
  return token;
}

Token Memcached::line_end(Side side, std::string_view bytes) {
  Direction& d = of(side);
  close_word(d);
  if (*d.words != 0 && !is_rest(*d.words)) return lost(side);
  // Servers read a line of a request that ends with LF alone; people write them.
  Token token{.size = line_break(d, bytes, side == Side::requests)};
  if (token.size == 0) return lost(side);
  token.text_ends = std::exchange(d.field_open, false);
  if (d.cr) return token;
  ++lines_;
  if (!d.has_data) return message_end(side, token);
  d.at = d.left > 0 ? At::data : At::data_end;
  return token;
}

Token Memcached::data_end(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const Token token{.size = line_break(d, bytes, false)};
  if (token.size == 0) return lost(side);
  return d.cr ? token : message_end(side, token);
}

Token Memcached::message_end(Side side, Token token) {
  Direction& d = of(side);
  if (side == Side::requests) {
    const Command& c = *d.command;
    const bool quiet = d.quiet && c.quietly != 0;
    return request_end(token, quiet, d.noreply || c.answers == 0, c.answers, c.quietly);
  }
  if (forms(d.form) & forms(kValue, kStat, kItem, kPrefix)) {
    d.next_line();
    return token;
  }
  return response_end(token);
}

Token Memcached::request_end(Token token, bool quiet, bool silent, Forms answers, Forms quietly) {
  token.ends = true;
  token.unanswered = quiet || silent;
  if (silent) {
    hushed_ = true;
  } else if (quiet) {
    quietly_ |= quietly;
  } else {
    if (early_ > 0) {
      --early_;
    } else {
      if (asked_.size() == kMaxAsked) return lost(Side::requests);
      pipelines_ = pipelines_ || !asked_.empty() || of(Side::responses).answering;
      asked_.push_back({answers, quietly_});
    }
    quietly_ = 0;
    hushed_ = false;
  }
  of(Side::requests) = Direction{};
  return token;
}

Token Memcached::response_end(Token token) {
  Direction& d = of(Side::responses);
  token.ends = true;
  token.failed = d.failed;
  token.pushed = d.pushed;
  d = Direction{};
  return token;
}

void Memcached::answer_first() {
  asked_.pop_front();
  of(Side::responses).answering = true;
}

// A response whose request is not in the queue. It may come later: another CPU recorded it.
bool Memcached::answered_early() {
  const bool coming = !of(Side::requests).lost && (whole_ || !at_border(Side::requests));
  if (coming && early_ < kMaxAsked) ++early_;
  return true;
}

// Which request a line answers. False: there is none, or there is more than one.
bool Memcached::answered(Form which) {
  const Forms form = forms(which);
  Direction& d = of(Side::responses);
  if (asked_.empty()) {
    d.pushed = (form & (quietly_ | (hushed_ ? kErrors : 0))) != 0;
    return d.pushed || answered_early();
  }
  const Asked first = asked_.front();
  d.pushed = (first.quietly & form) != 0;
  const bool answers = (first.answers & form) != 0;
  if (answers == d.pushed) return false;
  if (answers) answer_first();
  return true;
}

bool Memcached::skip(Side side, std::uint64_t n) {
  Direction& d = of(side);
  if (d.lost) return false;
  if (n == 0) return true;
  bool inside = d.at == At::data && n <= d.left;
  if (d.at == At::body && n < d.left) {
    const std::uint64_t extras = byte(d.text[4]), key_end = extras + two(d.text + 2), at = body_of(d.text) - d.left;
    inside = at >= key_end || (at <= extras && (at + n <= extras || at + n >= key_end));
  }
  if (!inside) {
    lost(side);
    return false;
  }
  d.left -= n;
  if (d.at == At::data && d.left == 0) d.at = At::data_end;
  return true;
}

// A client that waits for each answer has read that to its last request before it sends the next.
bool Memcached::resume(Side side, std::string_view last, Token& ended) {
  Direction& d = of(side);
  const std::size_t outstanding = asked_.size() + (d.answering ? 1 : 0);
  if (side == Side::requests || !last.empty() || !d.lost || pipelines_ || outstanding != 1) return false;
  asked_.clear();
  d = Direction{};
  ended = {.ends = true};
  return true;
}

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Memcached>(from_beginning); }

}  // namespace tailcap::formats::calls::memcached
