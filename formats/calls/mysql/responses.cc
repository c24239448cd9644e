// What the server sends: the greeting, results and their ends.
#include <utility>

#include "formats/calls/mysql/connection.h"

namespace tailcap::formats::calls::mysql {
namespace {

// Status flags.
constexpr std::uint16_t kMoreResults = 0x0008, kCursorExists = 0x0040;

constexpr std::uint16_t kProgress = 0xffff;  // the code of an ERR that is none

}  // namespace

void Mysql::open_response() {
  open_ = first_packet_ = true;
  pushed_ = false;
  phase_ = Phase::first;
  kind_ = connecting_ ? Kind::login : asked_.empty() ? Kind::unknown : asked_.front().kind;
  if (sees_capabilities_) eof_deprecated_ = agreed(kDeprecateEof) ? Known::yes : Known::no;
}

void Mysql::end_response(Token& token, bool failed) {
  token.ends = true;
  token.failed = failed;
  token.pushed = pushed_;
  open_ = false;
  phase_ = Phase::first;
  if (pushed_) return;
  connecting_ = false;
  if (asked_.empty())
    early_ += early_ < kMaxAsked;
  else
    asked_.erase(asked_.begin());
}

bool Mysql::begin_response(Packets& w, std::uint8_t sequence) {
  packet_ = Packet::other;
  if (w.left == 0 && kind_ != Kind::login) return false;
  if (phase_ == Phase::greeting) return sequence == 0 && w.left <= kMaxGreeting;
  if (first_packet_) {
    if (kind_ == Kind::login && connecting_) return sequence != 0;
    pushed_ = sequence == 0;
    return true;
  }
  // Behind what the client sends within a call, its packets have taken numbers.
  return kind_ == Kind::login || phase_ == Phase::behind_file || sequence == static_cast<std::uint8_t>(w.sequence + 1);
}

bool Mysql::decide_response(Packets& w, std::uint8_t lead) {
  const std::uint32_t size = w.left + (w.continues ? 1u : 0u);  // larger than any packet that ends here
  const bool first = std::exchange(first_packet_, false);
  if (lead == 0xff && size >= 3 && phase_ != Phase::rows) return !w.continues && plan(w, Packet::error, kError);
  if (phase_ == Phase::greeting) return lead == 10 && plan(w, Packet::greeting, kGreeting);
  if (pushed_) return false;
  if (first && !connecting_ && !asked_.empty() && w.sequence != asked_.front().packets) return false;
  switch (phase_) {
    case Phase::greeting:
      return false;
    case Phase::first:
      return decide_first(w, lead);
    case Phase::behind_file:
      return lead == 0 && size >= 7 && size <= kMaxPacket && plan(w, Packet::ok, kOk);
    case Phase::definitions:
      if (kind_ == Kind::fields && lead != 3) return decide_row(w, lead) && packet_ != Packet::row;
      return lead == 3 && size <= kMaxPacket && plan(w, Packet::definition, kDefinition);
    case Phase::behind_definitions:
      if (lead == 0xfe && size == 5 && eof_deprecated_ != Known::yes) {
        eof_deprecated_ = Known::no;
        return plan(w, Packet::eof, kEof);
      }
      if (eof_deprecated_ == Known::no) return false;
      eof_deprecated_ = Known::yes;
      if (kind_ == Kind::prepare) {
        phase_ = Phase::definitions;
        return decide_response(w, lead);
      }
      phase_ = Phase::rows;
      return decide_row(w, lead);
    case Phase::rows:
      return decide_row(w, lead);
  }
  return false;
}

bool Mysql::decide_first(Packets& w, std::uint8_t lead) {
  const bool small = !w.continues, ok = small && w.left >= 7, eof = small && w.left == 5;
  switch (kind_) {
    case Kind::login:
      if (lead == 0 && ok) return plan(w, Packet::ok, kOk);
      return plan(w, Packet::other, lead == 0xfe || lead == 1 ? Plan(kPlain) : Plan(kHidden));
    case Kind::unknown:
      if (lead == 0xfe && eof) return plan(w, Packet::eof, kEof);
      if (lead == 0 && w.left == 12) return false;  // it may be the response to PREPARE
      [[fallthrough]];
    case Kind::result: {
      if (lead == 0) return ok && plan(w, Packet::ok, kOk);
      if (lead == 0xfb) return small && plan(w, Packet::file, kPlain);
      const std::uint32_t size = lead < 0xfb ? 1 : 3;
      // Such a server says whether definitions follow in a way of its own.
      if ((lead > 0xfb && lead != 0xfc) || agreed(kOptionalMetadata)) return false;
      if (w.left == size) return plan(w, Packet::count, kCount);
      return w.left == size + 1 && plan(w, Packet::count, kCountAndFlag);
    }
    case Kind::simple:
      if (lead == 0xfe && eof) return plan(w, Packet::eof, kEof);
      return (lead == 0 || lead == 0xfe) && ok && plan(w, Packet::ok, kOk);
    case Kind::prepare:
      return lead == 0 && small && w.left >= 12 && plan(w, Packet::prepared, kPrepared);
    case Kind::fields:
      phase_ = Phase::definitions;
      return decide_response(w, lead);
    case Kind::rows:
      phase_ = Phase::rows;
      return decide_row(w, lead);
    case Kind::text:
      return plan(w, Packet::text, kHidden);
    case Kind::none:
    case Kind::stream:
      return false;
  }
  return false;
}

// A row begins with fe or ff only if it is as long as a packet can be.
bool Mysql::decide_row(Packets& w, std::uint8_t lead) {
  if (w.continues || lead < 0xfe) return plan(w, Packet::row, kHidden);
  if (lead == 0xff) return w.left >= 3 && plan(w, Packet::error, kError);
  if (w.left == 5) return plan(w, Packet::eof, kEof);
  return w.left >= 7 && plan(w, Packet::ok, kOk);
}

bool Mysql::response_packet_ends(Token& token) {
  first_packet_ = false;
  switch (packet_) {
    case Packet::greeting:
      phase_ = Phase::first;
      return true;
    case Packet::ok:
      compressed_ = connecting_ && agreed(kCompress | kZstd);
      results_end(token);
      return true;
    case Packet::eof:
      if (phase_ != Phase::behind_definitions) {
        results_end(token);
      } else if (kind_ == Kind::prepare) {
        phase_ = Phase::definitions;
        if (columns_ == 0) end_response(token, false);
      } else {
        phase_ = Phase::rows;
        if ((status_ & kCursorExists) != 0) end_response(token, false);
      }
      return true;
    case Packet::error:
      if (code_ != kProgress || connecting_) end_response(token, true);
      return true;
    case Packet::count:
      if (metadata_)
        phase_ = Phase::definitions;
      else
        phase_ = eof_deprecated_ == Known::yes ? Phase::rows : Phase::behind_definitions;
      return true;
    case Packet::definition:
      definition_ends(token);
      return true;
    case Packet::prepared:
      // With both, the packet between them says whether there are EOF packets.
      if (eof_deprecated_ == Known::unknown && (columns_ == 0) != (parameters_ == 0)) return false;
      phase_ = Phase::definitions;
      if (columns_ == 0 && parameters_ == 0) end_response(token, false);
      return true;
    case Packet::file:
      phase_ = Phase::behind_file;
      files_due_++;
      return files_due_ < static_cast<int>(kMaxAsked);
    case Packet::text:
      end_response(token, false);
      return true;
    case Packet::row:
    case Packet::other:
      return true;
  }
  return false;
}

void Mysql::definition_ends(Token& token) {
  if (kind_ == Kind::fields) return;  // they are not counted
  std::uint32_t& left = kind_ == Kind::prepare && parameters_ > 0 ? parameters_ : columns_;
  if (--left > 0) return;
  if (eof_deprecated_ != Known::yes)
    phase_ = Phase::behind_definitions;
  else if (kind_ != Kind::prepare)
    phase_ = Phase::rows;
  else if (columns_ == 0)
    end_response(token, false);
}

void Mysql::results_end(Token& token) {
  const bool more = (status_ & kMoreResults) != 0 && (kind_ == Kind::result || kind_ == Kind::unknown);
  if (more)
    phase_ = Phase::first;
  else
    end_response(token, false);
}

// A response to one command that ends an I/O ends with EOF, or with OK in its place. Nothing is known of an error's
// text from behind.
bool Mysql::resume(Side side, std::string_view bytes, Token& ended) {
  Packets& w = way(side);
  if (side == Side::requests || w.lost != Lost::hidden || way(Side::requests).lost != Lost::no) return false;
  if (phase_ == Phase::greeting || connecting_ || asked_.size() > 1) return false;
  const Kind kind = !asked_.empty() ? asked_.front().kind : Kind::unknown;
  if (kind != Kind::result && kind != Kind::rows && kind != Kind::fields && kind != Kind::unknown) return false;
  const auto ends = [&](std::size_t size, std::size_t status, std::string_view lead) {
    if (bytes.size() < size) return false;
    const std::string_view tail = bytes.substr(bytes.size() - size);
    return number(tail, 0, 3) == size - 4 && tail.substr(4, lead.size()) == lead &&
           (number(tail, status, 2) & kMoreResults) == 0;
  };
  const bool eof = eof_deprecated_ != Known::yes && ends(9, 7, "\xfe");
  const bool ok = eof_deprecated_ != Known::no && ends(11, 7, std::string_view("\xfe\0\0", 3));
  if (!eof && !ok) return false;
  ended = {};
  ended.size = eof ? 9 : 11;
  ended.begins = !open_;
  if (!open_) open_response();
  pushed_ = false;
  end_response(ended, false);
  w = {};
  return true;
}

}  // namespace tailcap::formats::calls::mysql
