#include "analyze/protocols/calls/reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "analyze/protocols/input/cursor.h"
#include "formats/calls/machine/key_shape.h"

namespace tailcap::protocols::calls {

using formats::known;
using model::Direction;
using model::End;
using model::Ending;
using model::Message;
using model::MessageKind;
using model::Taint;
using wire::Field;
using wire::Side;
using wire::Token;

namespace {

constexpr std::size_t kMostText = 16u << 10;  // of a statement: what is shown is shorter
constexpr std::size_t kLongestName = 100;     // of a statement; an error code
constexpr std::size_t kMostUnproved = 512;    // messages before it is proved how they belong together
// A send is stamped when it returns; its answer may be read before.
constexpr model::Duration kSendReturn = std::chrono::milliseconds{1};
// Nothing was open, and no answer came: nothing older was open, either.
constexpr model::Duration kSilence = std::chrono::milliseconds{5};

void append(std::string& text, std::string_view more, std::size_t most) {
  text.append(more.substr(0, most - std::min(most, text.size())));
}

std::int64_t last_number(std::string_view text) {
  const std::size_t end = text.find_last_of("0123456789");
  if (end == text.npos) return -1;
  const std::size_t before = text.substr(0, end).find_last_not_of("0123456789");
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  std::int64_t n = -1;
  std::from_chars(text.data() + begin, text.data() + end + 1, n);
  return n;
}

model::Protocol named(wire::Kind kind) {
  return static_cast<model::Protocol>(static_cast<std::uint8_t>(model::Protocol::redis) +
                                      static_cast<std::uint8_t>(kind));
}

}  // namespace

// What the stream tells of one run.
struct Reader::Sink {
  Reader& reader;
  const model::ByteRun& run;
  Messages& out;
  std::uint64_t at = 0;  // bytes of the run so far

  void token(Side side, const Token& t, std::string_view bytes, std::size_t) {
    if (t.begins) reader.begin(side, run, run.offset + at);
    at += bytes.size();
    Half& h = reader.half(side);
    h.size += bytes.size();
    reader.read(side, t, bytes);
    h.message.end = run.offset + at;
    if (t.ends) reader.end(side, t, Ending::complete, out);
  }
  void unseen(Side side, std::uint64_t n) {
    at += n;
    Half& h = reader.half(side);
    h.size += n;
    h.message.end = run.offset + at;
    if (!h.open || !reader.stream_.at_border(side)) return;
    h.message.taints = h.message.taints | Taint::payload_cut;
    reader.end(side, reader.stream_.skipped(side), Ending::complete, out);
  }
  void lost(Side side) {
    Half& h = reader.half(side);
    h.doubt = h.doubt | Taint::payload_cut;
    if (side == Side::requests && h.open) reader.end(side, reader.stream_.skipped(side), Ending::lost, out);
  }
  // A position was lost, and the message that was read then is known to be over.
  void resumed(Side side, const Token& ended, std::string_view, std::size_t) {
    if (!ended.ends) return;
    Half& h = reader.half(side);
    if (!h.open) reader.blank(side);
    h.message.taints = h.message.taints | Taint::payload_cut;
    reader.end(side, ended, Ending::complete, out);
  }
};

Reader::Reader(model::ConnectionId id, wire::Stream stream, Direction requests)
    : id_(id),
      stream_(std::move(stream)),
      requests_(requests),
      protocol_(named(stream_.kind())),
      late_(stream_.proved()) {}

Direction Reader::direction(Side side) const {
  const bool asks = side == Side::requests;
  return asks == (requests_ == Direction::in) ? Direction::in : Direction::out;
}

void Reader::push(const model::ByteRun& run, Messages& out) {
  const Side side = run.direction == requests_ ? Side::requests : Side::responses;
  Half& h = half(side);
  Sink sink{*this, run, out};
  if (run.gap > 0) {
    h.doubt = h.doubt | Taint::bytes_lost;
    stream_.gap(side, run.gap, sink);
    sink.at = 0;
  }
  if (run.length > 0) {
    // A request that is asked anew ends what was read before it: that run's time is still the other half's.
    h.done = run.done;
    h.thread = run.thread;
    h.arrived = run.direction == Direction::in ? arrival_of(run, run.offset + run.length - 1) : model::kNoTime;
    if (h.open) h.message.taints |= run.taints;
    stream_.moved(side, {run.length, run.head, run.tail}, sink);
  }
  if (stream_.state() == wire::Stream::State::foreign) {
    unproved_.clear();
    outstanding_ = 0;
    halves_[0].open = halves_[1].open = false;
  } else if (stream_.state() == wire::Stream::State::lost) {
    give_up(out);
  }
  if (run.end != End::none) close(run, out);
}

// A message begins of which nothing is known yet.
void Reader::blank(Side side) {
  Half& h = half(side);
  renew(h.message);
  for (std::string* const text : {&h.operation, &h.text, &h.name, &h.reference, &h.code, &h.rows}) text->clear();
  h.open = true;
  h.defines = h.refers = h.key_open = false;
  h.size = 0;
  Message& m = h.message;
  m.kind = side == Side::requests ? MessageKind::request : MessageKind::response;
  m.connection = id_;
  m.direction = direction(side);
  m.protocol = protocol_;
}

void Reader::begin(Side side, const model::ByteRun& run, std::uint64_t offset) {
  blank(side);
  Message& m = half(side).message;
  m.begin = m.end = offset;
  m.taints = run.taints;
  m.first_thread = m.last_thread = run.thread;
  m.instants.first_done = run.done;
  if (run.direction == Direction::in) m.instants.first_arrived = arrival_of(run, offset);
}

void Reader::read(Side side, const Token& t, std::string_view bytes) {
  Half& h = half(side);
  if (!h.open) return;
  switch (t.field) {
    case Field::none:
      break;
    case Field::operation:
      append(h.operation, bytes, kLongestShown);
      if (t.text_ends) h.operation += ' ';
      break;
    case Field::key:
      read_key(h, t, bytes);
      break;
    case Field::statement:
      if (bytes != std::string_view("\0", 1)) append(h.text, bytes, kMostText);  // PostgreSQL ends its texts so
      break;
    case Field::definition:
      append(h.name, bytes, kLongestName);
      h.defines = true;
      break;
    case Field::reference:
      append(h.reference, bytes, kLongestName);
      h.refers = true;
      break;
    case Field::error_code:
      append(h.code, bytes, kLongestName);
      break;
    case Field::rows:
      append(h.rows, bytes, kLongestShown);
      break;
  }
}

void Reader::read_key(Half& h, const Token& t, std::string_view bytes) const {
  if (!h.key_open) {
    if (!h.text.empty()) append(h.text, wire::protocol_of(stream_.kind()).joint, kMostText);
    h.key = h.text.size();
    h.part = t.part;
  }
  append(h.text, bytes, kMostText);
  h.key_open = true;
  if (t.text_ends) end_key(h, h.text.size() >= kMostText);
}

// The shape of a key is that of the whole.
void Reader::end_key(Half& h, bool cut) {
  h.key_open = false;
  std::string key = h.text.substr(h.key);
  if (h.part == wire::Part::key) wire::mask_key(key, cut);
  if (h.part == wire::Part::name) wire::mask_name(key, cut);
  h.text.replace(h.key, key.size(), key);
}

void Reader::end(Side side, const Token& t, Ending ending, Messages& out) {
  Half& h = half(side);
  if (!std::exchange(h.open, false)) return;
  Message& m = h.message;
  m.taints |= std::exchange(h.doubt, 0);
  if (stream_.order() == formats::calls::Order::numbers) return end_numbered(side, t, ending, out);
  if (side == Side::responses && (t.pushed || outstanding_ == 0) && contradict(t)) return renew(m);
  if (side == Side::responses && t.pushed) return renew(m);
  stamp(h, ending);
  if (side == Side::responses) {
    end_response(h, t);
    if (outstanding_ > 0) {
      --outstanding_;
    } else if (!stream_.lost(Side::requests) && early_ < kMostEarly) {
      ++early_;
      early_at_ = m.instants.last_done;
    } else {
      m.answers_unknown = true;
    }
    const Message skipped = t.further > 0 ? m : Message();
    hand_on(m, out);
    for (std::uint16_t n = 0; n < t.further && outstanding_ > 0; ++n, --outstanding_) {
      m = skipped;
      hand_on(m, out);
    }
    return;
  }
  end_request(h, t);
  m.unanswered = t.unanswered;
  // The response may have been seen before its request: another CPU recorded it.
  if (early_ > 0 && known(m.instants.first_done) && m.instants.first_done - early_at_ > kSendReturn) {
    answer_early(out);
    stream_.give_up();
  }
  if (!t.unanswered && early_ > 0)
    --early_;
  else
    outstanding_ += !t.unanswered;
  hand_on(m, out);
}

void Reader::stamp(Half& h, Ending ending) {
  Message& m = h.message;
  m.ending = ending;
  m.headers_complete = ending == Ending::complete;
  m.last_thread = h.thread;
  if (ending != Ending::lost) {
    m.instants.last_done = h.done;
    m.instants.last_arrived = h.arrived;
    m.body_bytes = h.size;
  }
  m.head_done = m.instants.last_done;
}

// A client that was found in the middle of a connection may have asked before: then the first answer was to something
// else, and so were all that follow. It shows when an answer comes that nothing asks for. True: nothing that was read
// is known to belong together.
bool Reader::contradict(const Token& t) {
  if (!late_ || trusted()) return false;
  unproved_.clear();
  if (t.pushed) return false;
  stream_.give_up();
  return true;
}

bool Reader::trusted() const {
  return trusted_ || (stream_.proved() && (!late_ || stream_.order() >= formats::calls::Order::proof));
}

void Reader::hand_on(Message& m, Messages& out) {
  if (late_ && m.kind == MessageKind::request && outstanding_ == 1 && known(answered_at_) &&
      (stream_.order() == formats::calls::Order::settled
           ? stream_.settled()
           : known(m.instants.first_done) && m.instants.first_done - answered_at_ >= kSilence))
    trusted_ = true;
  if (m.kind == MessageKind::response) answered_at_ = m.instants.last_done;
  if (trusted() || unproved_.size() >= kMostUnproved) {
    trusted_ = true;
    prove(out);
    return out.take(m);
  }
  unproved_.push_back(std::move(m));
  m = {};
}

void Reader::prove(Messages& out) {
  for (Message& m : unproved_) out.take(m);
  unproved_.clear();
}

// The names of an operation: as bytes said it, as the machine says it, or the first word of a statement.
void Reader::end_request(Half& h, const Token& t) {
  Message& m = h.message;
  model::StoreFacts& store = m.store.emplace();
  store.waits = t.waits;
  store.message = t.message;
  if (!h.operation.empty() && h.operation.back() == ' ') h.operation.pop_back();
  NamedStatement asked{capitals(h.operation), {}};
  if (!has_statements(protocol_)) {
    if (h.key_open) end_key(h, true);
    asked.text = wire::shown_key(h.text).substr(0, kLongestShown);
  } else if (!h.text.empty()) {
    asked = statements_.ask(h.text, wire::dialect_of(stream_.kind()));
    if (h.defines) statements_.define(h.name);
    if (!t.operation.empty()) asked.text = statements_.shown();
  }
  if (!t.operation.empty()) asked.operation = t.operation;
  if (h.refers && h.text.empty()) {
    asked = statements_.prepared(h.reference).value_or(asked);
    if (asked.operation.empty()) asked.operation = "EXECUTE";
  }
  m.method = asked.operation;
  m.target = asked.text;
}

void Reader::end_response(Half& h, const Token& t) {
  Message& m = h.message;
  model::StoreFacts& store = m.store.emplace();
  const wire::Protocol& protocol = wire::protocol_of(stream_.kind());
  store.failed = t.failed;
  while (!protocol.code && h.code.ends_with('\0')) h.code.pop_back();
  if (t.failed) store.error_code = protocol.code ? protocol.code(h.code) : h.code;
  // Requests that were skipped failed with the error before them.
  if (t.failed && store.error_code.empty())
    store.by_server = failed_by_server_;
  else
    store.by_server = failed_by_server_ = t.failed && protocol.fault(store.error_code) == wire::Fault::server;
  store.rows = last_number(h.rows);
  if (h.defines) statements_.define(h.name);
}

void Reader::give_up(Messages& out) {
  prove(out);
  answer_early(out);
  while (!numbered_.empty()) give_up(numbered_.begin()->first, out);
  Half& h = half(Side::responses);
  for (std::uint64_t n = std::exchange(outstanding_, 0); n > 0; --n) {
    if (!h.open) blank(Side::responses);
    h.open = false;
    Message& m = h.message;
    m.ending = Ending::lost;
    m.taints |= std::exchange(h.doubt, 0) | Taint::payload_cut;
    out.take(m);
  }
}

// What was answered before it was seen will not be seen: answers that follow are not its.
void Reader::answer_early(Messages& out) {
  Half& h = half(Side::requests);
  for (std::uint64_t n = std::exchange(early_, 0); n > 0; --n) {
    Message m;
    m.kind = MessageKind::request;
    m.connection = id_;
    m.direction = requests_;
    m.protocol = protocol_;
    m.ending = Ending::lost;
    m.taints = h.doubt | Taint::bytes_lost;
    out.take(m);
  }
}

// An open message ends with its direction.
void Reader::close(const model::ByteRun& run, Messages& out) {
  const Side side = run.direction == requests_ ? Side::requests : Side::responses;
  Half& h = half(side);
  prove(out);
  trusted_ = true;
  if (stream_.lost(Side::responses)) give_up(out);
  if (h.open) {
    h.message.closed = run.end;
    h.message.closed_at = run.done;
    if (run.end == End::capture) h.message.taints = h.message.taints | Taint::cut_off;
    end(side, stream_.skipped(side), run.end == End::capture ? Ending::cut_off : Ending::truncated, out);
  }
  ended_[static_cast<std::size_t>(run.direction)] = true;
  Message closed = closed_by(run, protocol_);
  out.take(closed);
}

}  // namespace tailcap::protocols::calls
