#include "formats/calls/postgresql/postgresql.h"

#include <algorithm>
#include <array>
#include <span>

#include "formats/calls/postgresql/outstanding.h"
#include "formats/calls/postgresql/wire.h"

namespace tailcap::formats::calls::postgresql {
namespace {

constexpr std::uint16_t kMaxReplies = 60'000;  // of one PREPARE
constexpr std::size_t kReady = 6;              // bytes of a ReadyForQuery
constexpr std::string_view kReadyHead("Z\0\0\0\5", 5);

// Messages whose last byte can be the end of a call. It has to be seen.
bool end_counts(Side side, char type) {
  return side == Side::requests ? has(std::string_view("QEFSH\0", 6), type) : has("123nsICETAZ", type);
}

enum class Step : std::uint8_t {
  lost,
  startup,  // the length and the code of the first messages of a client
  type,
  length,
  // Inside a body:
  definition,
  statement,
  portal,
  reference,
  row_limit,
  target,  // of Describe and Close: S or P
  tag,
  field_code,
  error_text,
  status,
  rest,  // hidden
};

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

// Where one direction stands.
struct Reading {
  Step step = Step::type;
  char type = 0;              // 0: StartupMessage
  char code = 0;              // of the field of an error
  std::uint8_t gathered = 0;  // bytes of `number`
  std::uint8_t shown = 0;     // bytes of a text that were kept
  bool hidden = false;        // the rest of the text is not kept
  bool open = false;          // a message is
  std::uint32_t left = 0;     // bytes of the body
  std::uint64_t number = 0;
};

class Postgresql final : public Machine {
 public:
  explicit Postgresql(bool from_beginning) : asked_(from_beginning), greets_(from_beginning) {
    if (from_beginning) in_[0].step = Step::startup;
  }

  Token next(Side side, std::string_view bytes) override {
    Reading& in = at(side);
    if (in.step == Step::lost || tls_ || bytes.empty()) return {};
    const Token token = read(side, in, bytes);
    if (token.size == 0) in.step = Step::lost;
    return token;
  }

  bool skip(Side side, std::uint64_t n) override {
    Reading& in = at(side);
    if (in.step == Step::lost) return n == 0;
    if (n == 0) return true;
    if (in.step <= Step::length || in.step == Step::status || n > in.left ||
        (n == in.left && end_counts(side, in.type))) {
      in.step = Step::lost;
      return false;
    }
    in.left -= static_cast<std::uint32_t>(n);
    in.step = Step::rest;
    if (in.left > 0 || done(side, in, {.size = 1}).size > 0) return true;
    in.step = Step::lost;
    return false;
  }

  bool resume(Side side, std::string_view bytes, Token& ended) override;

  bool at_border(Side side) const override {
    const Reading& in = in_[static_cast<std::size_t>(side)];
    return !in.open && (in.step == Step::type || (in.step == Step::startup && in.gathered == 0));
  }

  bool turns_to_tls() const override { return tls_; }
  bool settled() const override { return settled_; }
  Order order() const override { return Order::settled; }

 private:
  Reading& at(Side side) { return in_[static_cast<std::size_t>(side)]; }

  Token read(Side side, Reading& in, std::string_view bytes);
  Token startup(Reading& in, std::string_view bytes);
  Token request_type(Reading& in, char type);
  Token response_type(Reading& in, char type);
  Token length(Side side, Reading& in, std::string_view bytes);
  Token text(Side side, Reading& in, std::string_view bytes);
  Token text_end(Side side, Reading& in, Field field);
  Token field_code(Reading& in, char code);
  Token rest(Side side, Reading& in, std::string_view bytes);
  Token done(Side side, Reading& in, Token token);
  Token request_done(Reading& in, Token token);
  Token response_done(Reading& in, Token token);
  Token ready(Reading& in);
  Token ready_done(Reading& in, Token token);
  Token response_ends(Token token, bool failed);

  std::array<Reading, 2> in_;
  // Requests.
  bool bound_ = false;         // the open request holds a Bind
  std::uint16_t replies_ = 0;  // that the open request will have
  // Both.
  Outstanding asked_;
  bool tls_ = false;
  bool settled_ = false;  // a ReadyForQuery left nothing to answer
  // Responses; what is said of the open one ends with it.
  bool greets_;              // the next byte may answer an SSLRequest
  bool extended_ = false;    // it answers no Query, though its request is not known
  bool pushed_ = false;      // it answers no call
  bool failed_ = false;      // an error was in it
  bool fatal_ = false;       // the error ends the connection
  bool skipping_ = false;    // an error was: the server waits for a Sync
  std::uint16_t came_ = 0;   // replies to a PREPARE
  std::size_t skipped_ = 0;  // calls that end with the open ReadyForQuery
};

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

Token Postgresql::response_type(Reading& in, char type) {
  if (greets_) {
    if (type == 'N') return {.size = 1};
    if (type == 'S') {
      // Only an SSLRequest is answered so, and no StartupMessage precedes this answer.
      tls_ = asked_.empty() && at(Side::requests).step == Step::startup;
      return {.size = tls_ ? std::size_t{1} : 0};
    }
    if (!has("REv", type)) return {};
    greets_ = false;
  }
  if (lengths_of(Side::responses, type) == nullptr) return {};
  in.type = type;
  in.step = Step::length;
  if (type == 'Z') return ready(in);
  if (has("NS", type)) return {.size = 1};
  if (skipping_ && type != 'A') return {};
  if (in.open) return {.size = 1};
  // A Close is part of no request unless it stands inside one.
  if (type == '3') return {.size = 1};
  if (has("dc", type)) return {};
  pushed_ = type == 'A' || (type == 'E' && asked_.asks(Ask::sync));
  if (!pushed_) {
    asked_.drop_syncs();
    if (has("RvK", type) && !asked_.empty() && !asked_.asks(Ask::connect)) return {};
    if (asked_.asks(Ask::connect) && !has("RvE", type)) return {};
  }
  in.open = true;
  failed_ = fatal_ = false;
  extended_ = has("12tns", type);
  came_ = 0;
  return {.size = 1, .begins = true};
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

// The type of a ReadyForQuery. Behind an error it is the answer to the calls that the server skipped.
Token Postgresql::ready(Reading& in) {
  if (in.open) return {.size = !pushed_ && asked_.awaits_ready() ? std::size_t{1} : 0};
  skipped_ = skipping_ ? asked_.skip() : 0;
  skipping_ = false;
  asked_.drop_sync();
  settled_ = settled_ || (skipped_ == 0 && asked_.empty());
  if (skipped_ == 0) return {.size = 1};
  in.open = true;
  pushed_ = false;
  return {.size = 1, .begins = true};
}

Token Postgresql::ready_done(Reading& in, Token token) {
  if (!in.open) return token;
  if (skipped_ > 0) {
    in.open = false;
    token.ends = token.failed = true;
    token.further = static_cast<std::uint16_t>(skipped_ - 1);
    skipped_ = 0;
    settled_ = settled_ || asked_.empty();
    return token;
  }
  const bool itself = asked_.empty() || asked_.ends_with_ready();
  token = response_ends(token, failed_);
  if (!itself) asked_.drop_sync();
  settled_ = settled_ || asked_.empty();
  return token;
}

// The open response ended: so did the oldest call.
Token Postgresql::response_ends(Token token, bool failed) {
  token.ends = true;
  token.failed = failed;
  token.pushed = pushed_;
  at(Side::responses).open = false;
  if (!pushed_) asked_.answered();
  return token;
}

Token Postgresql::response_done(Reading& in, Token token) {
  const char type = in.type;
  if (type == 'Z') return ready_done(in, token);
  if (!in.open || has("NS", type)) return token;
  if (pushed_) return response_ends(token, type == 'E');
  const bool known = !asked_.empty();
  const Ask ask = known ? asked_.oldest().ask : extended_ ? Ask::execute : Ask::query;
  if (type == 'E') {
    failed_ = true;
    if (ask == Ask::execute || ask == Ask::prepare) {
      skipping_ = true;
      return response_ends(token, true);
    }
    if (ask == Ask::connect || fatal_) {
      pushed_ = !known;
      return response_ends(token, true);
    }
  } else if (ask == Ask::execute) {
    if (has("CIs", type)) return response_ends(token, false);
    // The server reads over the Sync behind this Execute: the data comes first.
    if (type == 'G' && known) asked_.drop_syncs_behind_oldest();
  } else if (ask == Ask::prepare) {
    if (has("CIDs", type)) return {};
    if (has("123nT", type) && ++came_ >= asked_.oldest().replies) return response_ends(token, false);
  }
  return token;
}

bool Postgresql::resume(Side side, std::string_view bytes, Token& ended) {
  Reading& in = at(side);
  if (side == Side::requests || in.step != Step::lost || tls_ || bytes.size() < kReady) return false;
  if (skipped_ > 0) return false;  // their ReadyForQuery has begun before this one
  const std::string_view before = bytes.substr(0, bytes.size() - kReady);
  bytes.remove_prefix(before.size());
  if (!bytes.starts_with(kReadyHead) || !is_status(bytes.back())) return false;
  const auto first = asked_.before_only_ready();
  // Skipped calls have one response, all others one each.
  if (!first || (first->calls > 1 && !skipping_)) return false;
  const bool ends = (in.open && !pushed_) || first->calls > 0;
  // An error ends with two NUL bytes, CommandComplete with the NUL of its tag.
  constexpr std::size_t kEnd = 2;
  const bool told = ends && !skipping_;
  if (told && (before.size() < kEnd || before.back() != '\0')) return false;
  const bool error = told && before[before.size() - kEnd] == '\0';
  ended = {.size = kReady + (told ? kEnd : 0)};
  if (ends) {
    ended.begins = !in.open;
    ended.ends = true;
    ended.failed = error || skipping_ || (in.open && failed_);
    ended.further = static_cast<std::uint16_t>(first->calls > 1 ? first->calls - 1 : 0);
    if (first->all == 0) asked_.answered();
  }
  asked_.drop(*first);
  settled_ = settled_ || asked_.empty();
  in = {};
  skipping_ = failed_ = pushed_ = greets_ = false;
  return true;
}

}  // namespace

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Postgresql>(from_beginning); }

}  // namespace tailcap::formats::calls::postgresql
