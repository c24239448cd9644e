#include "formats/calls/kafka/kafka.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "formats/calls/kafka/walk.h"
#include "formats/calls/kafka/wire.h"

namespace tailcap::formats::calls::kafka {

namespace {

constexpr std::uint32_t kSize = 4, kKeyAndVersion = 4;
constexpr std::uint64_t kMostAnswered = 1u << 30;
constexpr std::string_view kToken = "SASL AUTHENTICATE";

constexpr std::uint32_t byte_of(char c) { return static_cast<unsigned char>(c); }

// How far one direction was read.
struct Direction {
  enum class At : std::uint8_t {
    size,    // the four bytes in front of a message
    sniff,   // what may be a header or a token of SASL: its first bytes say which
    header,  // API, version, correlation id, client id, tagged fields
    body,
  };
  At at = At::size;
  std::uint8_t seen = 0;  // bytes of the size; while it sniffs: of the header
  bool open = false;      // a message began
  bool lost = false;      // until resume
  bool refused = false;   // for good
  bool failed = false, waits = false, unanswered = false;
  bool raw = false;         // a token of SASL
  bool identified = false;  // a request with a correlation id; a response to an open request
  const Api* api = nullptr;
  std::uint8_t version = 0;
  std::uint32_t number = 0;  // that is read
  std::uint32_t correlation = 0, call = 0;
  std::uint64_t left = 0;  // bytes of the message
  Walk walk;
};

class Kafka final : public Machine {
 public:
  explicit Kafka(bool from_beginning) : strict_(!from_beginning) {}

  Token next(Side side, std::string_view bytes) override;
  bool skip(Side side, std::uint64_t n) override;
  Token skipped(Side side) override;
  bool resume(Side side, std::string_view last, Token& ended) override;
  Order order() const override { return Order::numbers; }
  bool at_border(Side side) const override { return !of(side).open && !of(side).lost; }

  // These bytes, at a border of responses, answer an open request.
  bool answers(std::string_view bytes) const override {
    if (bytes.size() < 2 * kSize) return false;
    std::uint32_t correlation = 0;
    for (const char c : bytes.substr(kSize, kSize)) correlation = correlation << 8 | byte_of(c);
    return std::any_of(open_.begin(), open_.end(),
                       [&](const Open& o) { return o.raw || o.correlation == correlation; });
  }

 private:
  struct Open {
    std::uint32_t correlation, call;
    std::uint8_t api, version;
    bool raw;
  };

  const Direction& of(Side side) const { return directions_[static_cast<std::size_t>(side)]; }
  Direction& of(Side side) { return directions_[static_cast<std::size_t>(side)]; }
  bool sized(Side side);
  bool told(Side side, Kind kind, std::uint32_t number);
  void version_told(Direction& d);
  bool correlation_told(Direction& d);
  void header_read(Side side);
  Run sniff(Direction& d, std::string_view bytes);
  bool move(Side side, std::string_view bytes, const Run& run);
  Token end(Side side);
  void asked(const Direction& d);

  Direction directions_[2];
  std::vector<Open> open_;
  Token ended_[2];
  std::uint32_t calls_ = 0;
  bool strict_;             // until a response answers a request, it refuses responses
  bool sasl_ = false;       // tokens without headers may come
  bool pipelines_ = false;  // a request was sent before the last one was answered
};

constexpr std::uint8_t number_of(const Api* api) { return static_cast<std::uint8_t>(api - kApis); }

bool is_flexible(const Direction& d) { return d.version >= d.api->flexible && d.api->flexible != kNever; }

// What may stand in the i-th byte of a header behind tokens of SASL. Text and masked bytes are none.
bool may_begin_header(const Direction& d, std::size_t i, std::uint32_t b) {
  if (i == 0 || i == 2) return b == 0;
  if (i == 1) return b < '0' && b != '*';
  return b <= d.api->newest;
}

Token Kafka::next(Side side, std::string_view bytes) {
  Direction& d = of(side);
  if (d.refused || d.lost) return {};
  Token t;
  if (d.at == Direction::At::size) {
    t.begins = !std::exchange(d.open, true);
    if (t.begins && side == Side::requests) d.call = ++calls_ != 0 ? calls_ : ++calls_;
    for (; t.size < bytes.size() && d.seen < kSize; ++d.seen) d.number = d.number << 8 | byte_of(bytes[t.size++]);
    if (d.seen < kSize) return t;
    if (!sized(side)) {
      d.refused = true;
      return {};
    }
  }
  Run last{.size = t.size};
  while (d.left > 0 && t.size < bytes.size()) {
    const std::string_view rest =
        bytes.substr(t.size, static_cast<std::size_t>(std::min<std::uint64_t>(d.left, bytes.size() - t.size)));
    const Run run = d.at == Direction::At::sniff ? sniff(d, rest)
                    : d.walk.finished()          ? Run{.size = rest.size(), .part = Part::value}
                                                 : d.walk.look(rest);
    if (t.size > 0 && (run.part != last.part || run.field != Field::none || last.field != Field::none)) break;
    if (!move(side, rest, run)) {
      d.refused = true;
      return {};
    }
    last = run;
    t.size += run.size;
  }
  t.part = last.part;
  t.field = last.field;
  t.text_ends = last.field != Field::none && last.text_ends;
  if (d.left > 0) return t;
  Token ended = end(side);
  ended.size = t.size;
  ended.part = t.part;
  ended.field = t.field;
  ended.text_ends = t.text_ends;
  ended.begins = t.begins;
  return ended;
}

// Moves over a run of the message. False: the protocol does not allow it.
bool Kafka::move(Side side, std::string_view bytes, const Run& run) {
  Direction& d = of(side);
  bytes = bytes.substr(0, run.size);
  d.left -= run.size;
  if (d.at == Direction::At::sniff) {
    if (run.part == Part::value) return true;
    const std::uint32_t b = byte_of(bytes[0]);
    if (++d.seen == 2) {
      d.api = &kApis[b];
    } else if (d.seen == kKeyAndVersion) {
      d.version = static_cast<std::uint8_t>(b);
      sasl_ = false;
      d.at = Direction::At::header;
      d.walk.begin(Plan(kRequestHeader).subspan(2), 0, false);
      d.walk.set_flexible(is_flexible(d));
    }
    return true;
  }
  if (d.walk.finished()) return true;
  const Kind kind = d.walk.take(bytes, d.left);
  if (kind != Kind::end && !told(side, kind, d.walk.told())) return false;
  if (d.walk.finished()) header_read(side);
  return true;
}

// The next byte of what may be a header.
Run Kafka::sniff(Direction& d, std::string_view bytes) {
  if (may_begin_header(d, d.seen, byte_of(bytes[0]))) return {.size = 1};
  d.raw = true;
  d.api = nullptr;
  d.at = Direction::At::body;
  return {.size = bytes.size(), .part = Part::value};
}

// The size of a message is known. False: there is none of that size.
bool Kafka::sized(Side side) {
  Direction& d = of(side);
  d.left = d.number;
  d.seen = 0;
  if (side == Side::requests) {
    if (d.left > kMostBytes || (!sasl_ && d.left < kLeastHeader)) return false;
    d.raw = d.left < kLeastHeader;
    d.at = d.raw ? Direction::At::body : sasl_ ? Direction::At::sniff : Direction::At::header;
    if (d.at == Direction::At::header) d.walk.begin(kRequestHeader, 0, false);
    return true;
  }
  d.raw = !open_.empty() && open_.front().raw;
  if (d.raw) {
    d.call = open_.front().call;
    open_.erase(open_.begin());
    d.identified = true;
    d.at = Direction::At::body;
    return d.left <= kMostBytes;
  }
  d.at = Direction::At::header;
  d.walk.begin(kResponseHeader, 0, false);
  return d.left >= kSize && d.left <= kMostAnswered;
}

bool Kafka::told(Side side, Kind kind, std::uint32_t number) {
  Direction& d = of(side);
  const auto is_positive = [](std::uint32_t n) { return static_cast<std::int32_t>(n) > 0; };
  switch (kind) {
    case Kind::api:
      d.api = api_of(number, 0);
      return d.api != nullptr;
    case Kind::version:
      if (!api_of(number_of(d.api), number)) return false;
      d.version = static_cast<std::uint8_t>(number);
      version_told(d);
      break;
    case Kind::correlation:
      d.correlation = number;
      if (side == Side::responses) return correlation_told(d);
      d.identified = true;
      break;
    case Kind::acks:
      d.unanswered = number == 0;
      break;
    case Kind::wait:
      d.waits = is_positive(number);
      break;
    case Kind::least:
      d.waits = d.waits && is_positive(number);
      break;
    case Kind::error:
      if (number == 0) break;
      // What is none is no proof of a failure: the layout is another one.
      d.failed = number <= 0xff || number == 0xffff;
      d.walk.stop();
      break;
    default:
      break;
  }
  return true;
}

void Kafka::version_told(Direction& d) {
  const bool oldest = number_of(d.api) == kControlledShutdown && d.version == 0;
  if (oldest)
    d.walk.begin(Plan(kOldestHeader).subspan(2), 0, false);
  else
    d.walk.set_flexible(is_flexible(d));
}

// Which request a response answers.
bool Kafka::correlation_told(Direction& d) {
  const auto asked =
      std::find_if(open_.begin(), open_.end(), [&](const Open& o) { return o.correlation == d.correlation && !o.raw; });
  if (asked == open_.end()) return !strict_;
  strict_ = false;
  d.identified = true;
  d.call = asked->call;
  d.api = &kApis[asked->api];
  d.version = asked->version;
  open_.erase(asked);
  if (is_flexible(d) && number_of(d.api) != kApiVersions) d.walk.begin(Plan(kResponseHeader).subspan(1), 0, true);
  return true;
}

// The walk has ended: that of the header or that of the body.
void Kafka::header_read(Side side) {
  Direction& d = of(side);
  if (d.at != Direction::At::header) return;
  d.at = Direction::At::body;
  if (!d.api || !d.identified || d.walk.broken() || d.version > d.api->newest) return;
  d.walk.begin(side == Side::requests ? d.api->request : d.api->response, d.version, is_flexible(d));
}

// The message has ended.
Token Kafka::end(Side side) {
  Direction& d = of(side);
  Token t{.ends = true, .failed = d.failed, .call = d.call};
  if (side == Side::requests) {
    t.operation = d.raw ? kToken : d.api ? d.api->name : std::string_view();
    t.waits = d.waits || (d.api && d.api->waits);
    t.unanswered = d.unanswered || (!d.identified && !d.raw);
    if (!t.unanswered) asked(d);
    if (d.api && number_of(d.api) == kSaslHandshake && d.version == 0) sasl_ = true;
  } else {
    t.pushed = !d.identified;
  }
  const bool lost = d.lost;
  d = Direction();
  d.lost = lost;
  return t;
}

void Kafka::asked(const Direction& d) {
  pipelines_ = pipelines_ || !open_.empty() || of(Side::responses).open;
  // Authentication goes step by step: a token that was not answered until now never will be, as the last one of GSSAPI.
  while (!open_.empty() && open_.front().raw) open_.erase(open_.begin());
  if (open_.size() == kMostOpen) open_.erase(open_.begin());
  open_.push_back({d.correlation, d.call, d.api ? number_of(d.api) : std::uint8_t{0}, d.version, d.raw});
}

bool Kafka::skip(Side side, std::uint64_t n) {
  Direction& d = of(side);
  if (n == 0) return true;
  if (d.refused || d.lost) return false;
  if (!d.open || d.at == Direction::At::size || n > d.left) {
    d.lost = true;
    return false;
  }
  if (d.at == Direction::At::sniff) {
    d.raw = true;
    d.api = nullptr;
    d.at = Direction::At::body;
  }
  d.left -= n;
  while (n > 0 && !d.walk.finished()) {
    n = d.walk.pass(n);
    if (d.walk.finished()) header_read(side);
  }
  if (d.left == 0) ended_[static_cast<std::size_t>(side)] = end(side);
  return true;
}

Token Kafka::skipped(Side side) {
  const Direction& d = of(side);
  if (!d.open) return ended_[static_cast<std::size_t>(side)];
  Token t{.ends = true, .failed = d.failed, .waits = d.waits, .call = d.call};
  if (side == Side::requests)
    t.operation = d.raw ? kToken : d.api ? d.api->name : std::string_view();
  else
    t.pushed = !d.identified;
  return t;
}

// A client that waits for each answer has read that to its last request before it sends the next.
bool Kafka::resume(Side side, std::string_view last, Token& ended) {
  Direction& d = of(side);
  if (side == Side::requests || !last.empty() || !d.lost || pipelines_) return false;
  if (!d.identified && !open_.empty()) {
    d.call = open_.front().call;
    d.identified = true;
    open_.clear();
  }
  d.lost = false;
  if (!d.identified) {
    d = Direction();
    return true;
  }
  ended = end(side);
  return true;
}

}  // namespace

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Kafka>(from_beginning); }

}  // namespace tailcap::formats::calls::kafka
