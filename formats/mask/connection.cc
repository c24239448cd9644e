#include "formats/mask/connection.h"

#include <algorithm>
#include <utility>

namespace tailcap::formats::mask {

namespace {

// Bytes of an unrecognised stream that are shown as unknown instead of missing: longer than any method of HTTP.
constexpr std::uint8_t kStars = 40;
constexpr std::size_t kPrefaceRest = 8;  // after "PRI * HTTP/2.0\r\n"
constexpr char kTlsHandshake = 0x16;
constexpr std::uint32_t kMostBehind = 256u << 20;

}  // namespace

void Connection::begin(std::uint32_t next_out, std::uint32_t next_in, bool from_beginning) {
  const std::uint32_t next[2] = {next_out, next_in};
  for (int i = 0; i < 2; ++i) {
    Way& way = way_[i];
    if (way.used) continue;  // reported again when established
    way.kind = from_beginning ? Kind::fresh : Kind::late;
    way.expected = next[i];
    way.placed = true;
  }
  questions_.whole = from_beginning;
}

void Connection::become(Way& way, Kind kind) {
  way.kind = kind;
  if (kind == Kind::http2 && !way.http2) way.http2 = std::make_unique<Http2>();
  if (kind != Kind::http2) way.http2.reset();
}

void Connection::refuse(Way& way) {
  become(way, Kind::foreign);
  foreign_ = true;
  Way& o = other(way);
  if (o.kind == Kind::fresh || (o.kind == Kind::http1 && !o.http1.proved())) become(o, Kind::foreign);
}

// What stands before the first request. Returns how many of the bytes belong to it. Addresses are kept where those of
// connections are; what a proxy adds to them is not.
std::size_t Connection::preamble(Way& way, std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  using Part = ground::Preamble::Part;
  if (requests_ >= 0 && &way != &way_[requests_]) return 0;
  if (!way.preamble) {
    if (!ground::Preamble::may_begin(bytes[0])) return 0;
    way.preamble = std::make_unique<ground::Preamble>();
  }
  const auto [part, size] = way.preamble->next(bytes);
  if (part == Part::constant || (part == Part::address && rules.keeps_reasons()))
    sheet.keep(base, base + size);
  else
    sheet.hide(base, base + size);
  return size;
}

// Decides the kind of a direction by the first bytes behind its preamble.
void Connection::decide(Way& way, std::string_view bytes) {
  const Way& o = other(way);
  const bool http1 = o.kind == Kind::http1 && o.http1.proved();
  const auto before = std::exchange(way.preamble, nullptr);
  if (before && !before->undecided().empty()) {  // no other protocol begins so
    become(way, Kind::http1);
    way.http1.at_beginning(before->undecided());
  } else if (o.kind == Kind::fresh && begins_call(way, bytes)) {
    return;
  } else if (o.kind == Kind::fresh && calls::may_be_header(bytes)) {
    become(way, Kind::late);
    become(other(way), Kind::late);
  } else if (o.kind == Kind::tls || (bytes[0] == kTlsHandshake && o.kind != Kind::http1 && o.kind != Kind::http2)) {
    become(way, Kind::tls);
  } else if (bytes[0] == '\0' && !http1) {
    // A server's first frame may be sent before the client's preface is read.
    become(way, Kind::http2);
    *way.http2 = Http2(0, true);
  } else {
    become(way, Kind::http1);
    way.http1.at_beginning({});
  }
}

// What is lost may begin with anything again, text in a tunnel, too: only the role that the direction has is believed.
void Connection::must_fit(Way& way) {
  if (way.http1.role() == Role::unknown && requests_ >= 0)
    way.http1.set_role(&way == &way_[requests_] ? Role::requests : Role::responses);
}

// A request in one direction and then a response in the other describe a connection as well: in a tunnel, text that
// looks like HTTP has no such answer. The request itself stays out.
bool Connection::answered(const Way& way, std::string_view bytes) {
  const auto direction = static_cast<std::int8_t>(&way == &way_[1]);
  if (verified_start(bytes, Role::requests)) {
    asked_ = direction;
  } else if (asked_ == 1 - direction && verified_start(bytes, Role::responses)) {
    requests_move(static_cast<unsigned>(asked_));
    described_ = true;
  }
  return described_;
}

// The beginning was not seen: checks whether this I/O proves what it is.
void Connection::find(Way& way, std::string_view bytes, std::uint32_t whole_io) {
  if (was_call_) return;
  if (!way.http2) {
    way.http2 = std::make_unique<Http2>();
    way.http2->lose();
    way.http2->take_lost();
  }
  if (ground::tls::plausible(bytes)) {
    become(way, Kind::tls);
    way.tls = TlsRecords(true);
    Way& o = other(way);
    if (o.kind == Kind::late) {
      become(o, Kind::tls);
      o.tls.lose();
      o.tls.take_lost();
    }
    return;
  }
  if (!described_ && !answered(way, bytes)) return;
  must_fit(way);
  if (verified_start(bytes, way.http1.role())) {
    become(way, Kind::http1);
    return;
  }
  if (!way.http2->look(bytes, whole_io)) return;
  way.kind = Kind::http2;
  Way& o = other(way);
  if (o.kind != Kind::late) return;
  const bool had = o.http2 != nullptr;
  become(o, Kind::http2);
  if (!had) {
    o.http2->lose();
    o.http2->take_lost();
  }
}

// An HTTP/1 message was read: the other direction therefore carries the other role.
void Connection::proved(Way& way) {
  if (!way.http1.proved()) return;
  Way& o = other(way);
  const Role role = way.http1.role() == Role::requests ? Role::responses : Role::requests;
  if (o.kind == Kind::late) {
    become(o, Kind::http1);
    o.http1.set_role(role);
    o.http1.lose();
    o.http1.take_lost();  // nothing of it was withheld so far
  } else if (o.kind == Kind::fresh || (o.kind == Kind::http1 && o.http1.role() == Role::unknown)) {
    o.http1.set_role(role);
  }
}

void Connection::turned(Way& way, Http1::Turn turn) {
  Way& o = other(way);
  switch (turn) {
    case Http1::Turn::none:
      return;
    case Http1::Turn::foreign:
      return refuse(way);
    case Http1::Turn::contradiction:
      refuse(way);
      become(o, Kind::foreign);
      return;
    case Http1::Turn::tunnel:
      become(way, Kind::foreign);
      become(o, Kind::foreign);
      way.stars = o.stars = kStars;
      return;
    case Http1::Turn::http2:
      if (way.http1.role() == Role::responses) {  // 101: the client's preface follows
        become(way, Kind::http2);
        o.http1.allow_preface();
        return;
      }
      become(way, Kind::http2);
      *way.http2 = Http2(kPrefaceRest);
      if (o.kind == Kind::late) {
        become(o, Kind::http2);
        o.http2->lose();
      }
      return;
  }
}

void Connection::skip(Way& way, std::uint64_t n, bool gap) {
  switch (way.kind) {
    case Kind::late:
      if (gap) way.http2.reset();
      break;
    case Kind::fresh:
      if (way.preamble && way.preamble->skip(n)) break;
      way.preamble.reset();
      // The first bytes decide, and these were they. The kind of the other direction limits this one's.
      if (const Way& o = other(way); o.kind == Kind::http2) {
        become(way, Kind::http2);
        way.http2->lose();
      } else if (o.kind == Kind::tls) {
        become(way, Kind::tls);
        way.tls.lose();
      } else if (o.kind == Kind::http1 && o.http1.proved()) {
        become(way, Kind::http1);
        way.http1.lose();
      } else
        become(way, Kind::late);
      break;
    case Kind::http1:
      way.http1.skip(n);
      if (way.http1.lost()) must_fit(way);
      break;
    case Kind::http2:
      if (gap)
        way.http2->gap(n);
      else
        way.http2->skip(n);
      break;
    case Kind::tls:
      way.tls.skip(n);
      break;
    case Kind::call:
      call_->gap(static_cast<unsigned>(&way == &way_[1]), n);
      break;
    case Kind::foreign:
      break;
  }
}

std::size_t Connection::one(Way& way, std::string_view bytes, std::size_t base, std::uint32_t whole_io, Sheet& sheet,
                            const Rules& rules) {
  switch (way.kind) {
    case Kind::fresh:
      if (const std::size_t n = preamble(way, bytes, base, sheet, rules); n > 0) return n;
      decide(way, bytes);
      call_from_ = base;
      return 0;
    case Kind::late:
      if (whole_io > 0) find(way, bytes, whole_io);
      if (way.kind != Kind::late) return 0;
      sheet.blot(base, base + bytes.size());
      return bytes.size();
    case Kind::http1: {
      const std::size_t n = way.http1.feed(bytes, base, whole_io > 0, questions_, sheet, rules);
      proved(way);
      turned(way, way.http1.take_turn());
      return n;
    }
    case Kind::http2:
      way.http2->feed(bytes, base, whole_io, sheet, rules);
      // Its first bytes were not the frames required there.
      if (way.http2->lost() && !way.http2->proved() && questions_.whole && other(way).kind != Kind::http2) refuse(way);
      return bytes.size();
    case Kind::tls:
      way.tls.feed(bytes, base, whole_io > 0, sheet, rules);
      return bytes.size();
    case Kind::call:  // move_call
      return bytes.size();
    case Kind::foreign: {
      const std::size_t n = std::min<std::size_t>(bytes.size(), kStars - way.stars);
      sheet.blot(base, base + n);
      way.stars = static_cast<std::uint8_t>(way.stars + n);
      return bytes.size();
    }
  }
  return bytes.size();
}

void Connection::feed(Way& way, std::string_view bytes, std::size_t base, std::uint32_t whole_io, Sheet& sheet,
                      const Rules& rules) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    at += one(way, bytes.substr(at), base + at, at == 0 ? whole_io : 0, sheet, rules);
  }
}

bool Connection::lost(Way& way) {
  switch (way.kind) {
    case Kind::late:
      return true;
    case Kind::fresh:
    case Kind::foreign:
      return false;
    case Kind::http1:
      return way.http1.take_lost();
    case Kind::http2:
      return way.http2->take_lost();
    case Kind::tls:
      return way.tls.take_lost();
    case Kind::call:
      return call_->take_lost();
  }
  return false;
}

std::size_t Connection::held() const {
  std::size_t bytes = 0;
  for (const Way& way : way_) bytes += way.http1.held() + (way.http2 ? way.http2->held() : 0);
  return bytes;
}

void Connection::let_go() {
  for (Way& way : way_) {
    if (way.http1.held() > 0) {
      way.http1.lose();
      must_fit(way);
    }
    if (way.http2 && way.http2->held() > 0) way.http2->lose();
  }
}

// The first bytes of a direction begin a protocol of calls: the other direction carries it, too.
bool Connection::begins_call(Way& way, std::string_view bytes) {
  using calls::Side;
  const auto direction = static_cast<std::int8_t>(&way == &way_[1]);
  std::optional<Side> only;
  if (requests_ >= 0) only = requests_ == direction ? Side::requests : Side::responses;
  const auto begun = calls::begun(bytes, only);
  if (!begun) return false;
  const unsigned asks = begun->side == Side::requests ? direction : 1 - direction;
  carries_call(calls::Stream(begun->kind), asks);
  return true;
}

void Connection::carries_call(calls::Stream stream, unsigned requests) {
  call_ = std::make_unique<Call>(std::move(stream), requests);
  finder_.reset();
  for (Way& way : way_) {
    way.preamble.reset();
    become(way, Kind::call);
  }
}

// The beginning was not seen: whether this I/O answers a request that was found. It is the first that is kept.
bool Connection::finds_call(unsigned direction, const Moved& bytes, Sheet& sheet, const Rules& rules) {
  if (!finder_) {
    finder_ = std::make_unique<calls::Finder>();
    if (was_call_) finder_->only(*was_call_);
  }
  blotted_ = blotted_ || (rules.reads_masked() && bytes.head.find_first_not_of('?') == bytes.head.npos);
  const bool found = finder_->moved(direction, requests_, {bytes.length, bytes.head, bytes.tail});
  const bool believed = blotted_ && finder_->asked() && !finder_->began_before();
  if (!found && !believed) return false;
  const calls::Kind kind = finder_->kind();
  const unsigned requests = finder_->requests();
  carries_call(calls::Stream(kind, found ? finder_->take() : calls::protocol_of(kind).machine(false)), requests);
  move_call(direction, bytes, sheet, rules);
  return true;
}

void Connection::move_call(unsigned direction, const Moved& bytes, Sheet& sheet, const Rules& rules) {
  using State = calls::Stream::State;
  const std::size_t from = std::exchange(call_from_, 0), head = bytes.head.size();
  const calls::Piece piece = from <= head
                                 ? calls::Piece{bytes.length - from, bytes.head.substr(from), bytes.tail}
                                 : calls::Piece{head + bytes.tail.size() - from, bytes.tail.substr(from - head), {}};
  call_->moved(direction, piece, from, sheet, rules);
  const State state = call_->state();
  if (state == State::reads) return;
  for (Way& way : way_) {
    if (state == State::tls) way.tls = TlsRecords();
    become(way, state == State::tls ? Kind::tls : state == State::foreign ? Kind::foreign : Kind::late);
  }
  foreign_ = foreign_ || state == State::foreign;
  if (state == State::lost) was_call_ = call_->kind();
  call_.reset();
  if (state == State::lost) finds_call(direction, bytes, sheet, rules);
}

void Connection::withhold(unsigned direction, const Moved& bytes) {
  doubt_ = true;
  withheld_ += bytes.length;
  (described_ ? calls_ : undescribed_calls_)[direction & 1] +=
      way_[direction & 1].kind != Kind::tls;  // its requests are in the session's plaintext
}

void Connection::moved(unsigned direction, const Moved& bytes, Sheet& sheet, const Rules& rules) {
  Way& way = way_[direction & 1];
  if (way.placed) {
    const std::uint32_t ahead = bytes.position - way.expected;
    // Behind: another CPU recorded it late, and it was skipped. Further behind than the maximum difference between two
    // CPUs: the expected position was wrong.
    const bool behind = ahead != 0 && 0u - ahead <= kMostBehind;
    if (behind && way.used) {
      withhold(direction, bytes);
      return;
    }
    if (behind)
      become(way, Kind::late);  // nothing was skipped: the connection began elsewhere than was said
    else if (ahead > 0)
      skip(way, ahead, true);
  }
  way.placed = way.used = true;
  way.expected = bytes.position + bytes.length;
  const bool late = way_[0].kind == Kind::late && way_[1].kind == Kind::late;
  if (late && !bytes.head.empty() && finds_call(direction & 1, bytes, sheet, rules)) return;
  if (way.kind == Kind::call) {
    move_call(direction & 1, bytes, sheet, rules);
    if (lost(way)) withhold(direction, bytes);
    return;
  }
  if (!bytes.head.empty()) feed(way, bytes.head, 0, bytes.length, sheet, rules);
  if (way.kind == Kind::call) return move_call(direction & 1, bytes, sheet, rules);  // it was decided just now
  if (const std::uint64_t hidden = bytes.length - bytes.head.size() - bytes.tail.size(); hidden > 0)
    skip(way, hidden, false);
  if (!bytes.tail.empty()) feed(way, bytes.tail, bytes.head.size(), 0, sheet, rules);
  if (way.kind == Kind::call) return move_call(direction & 1, bytes, sheet, rules);  // in the tail, behind a preamble
  if (lost(way)) withhold(direction, bytes);
  for (const Way& w : way_)
    http_ |= (w.kind == Kind::http1 && w.http1.proved()) || (w.kind == Kind::http2 && w.http2->proved());
}

std::uint64_t Connection::requests(unsigned direction) const {
  const Way& way = way_[direction & 1];
  const bool asks = requests_ == static_cast<std::int8_t>(direction & 1);
  if (call_) return call_->requests() == (direction & 1) ? call_->asked() : 0;
  return (way.http1.role() == Role::requests ? way.http1.heads() : 0) + (way.http2 && asks ? way.http2->streams() : 0);
}

std::uint64_t Connection::server_errors(unsigned direction) const { return way_[direction & 1].http1.server_errors(); }

}  // namespace tailcap::formats::mask
