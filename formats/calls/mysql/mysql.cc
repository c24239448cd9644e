#include "formats/calls/mysql/mysql.h"

#include "formats/calls/mysql/connection.h"

namespace tailcap::formats::calls::mysql {

Token Mysql::next(Side side, std::string_view bytes) {
  Packets& w = way(side);
  if (bytes.empty() || w.lost != Lost::no || compressed_) return {};
  const Token token = w.left > 0 ? piece(side, w, bytes) : header(side, w, bytes);
  if (token.size == 0) w.lost = Lost::broken;
  return token;
}

bool Mysql::at_border(Side side) const {
  const Packets& w = ways_[static_cast<std::size_t>(side)];
  const bool inside = side == Side::requests ? in_file_ : open_;
  return w.lost == Lost::no && w.got == 0 && w.left == 0 && !w.continues && !inside;
}

bool Mysql::skip(Side side, std::uint64_t n) {
  Packets& w = way(side);
  if (n == 0) return w.lost == Lost::no;
  if (w.lost != Lost::no) return false;
  const bool rest = w.left > 0 && w.step < w.plan.size() && w.plan[w.step].size == kRest &&
                    w.plan[w.step].use != Use::choice && w.pending == 0;
  // The last byte of a packet ends a message, unless it is one of many.
  const bool many = side == Side::requests ? request_ == Request::data : packet_ == Packet::row;
  if (!rest || n > w.left || (n == w.left && !w.continues && !many)) {
    w.lost = Lost::hidden;
    return false;
  }
  if (w.plan[w.step].part == Part::statement) {  // a literal may have begun in what was not seen
    w.plan = kHidden;
    w.step = 0;
  }
  w.fresh = false;
  w.left -= static_cast<std::uint32_t>(n);
  return true;
}

Token Mysql::header(Side side, Packets& w, std::string_view bytes) {
  Token token;
  if (w.got == 0 && !w.continues && side == Side::responses && !open_) {
    if (inside_tls_ && phase_ == Phase::greeting) phase_ = Phase::first;
    if (phase_ != Phase::greeting) {
      open_response();
      token.begins = true;
    }
  }
  token.size = w.gather(bytes).size;
  if (w.got > 0) return token;
  const std::uint8_t sequence = w.header[3], following = static_cast<std::uint8_t>(w.sequence + 1);
  const bool continued = w.continues;
  w.continues = w.left == kMaxPacket;
  if (continued) {
    if (sequence != following) return {};
    if (side == Side::requests) packets_++;
  } else {
    w.plan = {};
    w.step = w.pending = 0;
    w.fresh = true;
    if (!(side == Side::requests ? begin_request(w, sequence) : begin_response(w, sequence))) return {};
  }
  w.sequence = sequence;
  if (w.left == 0 && !packet_ends(side, w, token)) return {};
  return token;
}

// The first byte of a choice was seen.
void Mysql::choose(Side side, Packets& w, std::uint8_t lead) {
  const Known attributes = query_attributes();
  if (side == Side::responses) {
    w.plan = lead == '#' && w.left >= 6 && phase_ != Phase::greeting ? Plan(kState) : Plan(kHidden);
  } else if (w.plan.data() == kPerhapsAttributes) {
    w.plan = lead == 1 ? Plan(kAttributes) : Plan(kStatement);
  } else if (lead == 0 && attributes != Known::no) {
    w.plan = kNoAttributes;
  } else if (lead < '\t' || attributes == Known::yes) {
    w.plan = kAttributes;  // no statement begins so: a count of attributes, whose end takes their types to find
  } else {
    w.plan = attributes == Known::unknown ? Plan(kPerhapsAttributes) : Plan(kStatement);
  }
  w.step = 0;
}

Token Mysql::piece(Side side, Packets& w, std::string_view bytes) {
  const std::uint8_t lead = byte(bytes, 0);
  if (w.plan.empty() && !(side == Side::requests ? decide_request(w, lead) : decide_response(w, lead))) return {};
  if (w.step >= w.plan.size()) return {};
  if (w.plan[w.step].use == Use::choice) choose(side, w, lead);
  const Use what = w.plan[w.step].use;
  bool done = false;
  Token token = w.take(bytes, done);
  if (token.size == 0) return {};
  if (w.fresh) {
    w.fresh = false;
    if (side == Side::requests) {
      const bool call = request_ == Request::command ? command_->kind != Kind::none : request_ == Request::handshake;
      token.begins = call;
    } else if (packet_ == Packet::error && !open_) {
      // In place of the greeting.
      token.begins = open_ = pushed_ = true;
    }
  }
  if (done) {
    token.text_ends = token.field != Field::none && token.field != Field::statement;
    w.step++;
    if (!use(w, what)) return {};
  }
  if (w.left == 0 && !w.continues) {
    token.text_ends = token.field != Field::none;
    if (!packet_ends(side, w, token)) return {};
  }
  return token;
}

bool Mysql::use(Packets& w, Use what) {
  const auto low = static_cast<std::uint32_t>(w.number);
  switch (what) {
    case Use::nothing:
    case Use::choice:
    case Use::zeros:
      return true;
    case Use::server_low:
      server_ = low;
      return (low & kProtocol41) != 0;
    case Use::server_high:
      server_ |= low << 16;
      return true;
    case Use::client:
      client_ = low;
      sees_capabilities_ = true;
      return (low & kProtocol41) != 0;
    case Use::ssl:
      return (low & kSsl) != 0 && (low & kProtocol41) != 0;
    case Use::one:
      return low == 1;
    case Use::status:
      status_ = static_cast<std::uint16_t>(low);
      return true;
    case Use::code:
      code_ = static_cast<std::uint16_t>(low);
      return true;
    case Use::columns:
      columns_ = low;
      metadata_ = true;
      return w.number >= 1 && w.number <= kMaxColumns;
    case Use::metadata:
      metadata_ = low == 1;
      return low <= 1;
    case Use::results:
      columns_ = low;
      return true;
    case Use::parameters:
      parameters_ = low;
      return true;
    case Use::catalog:
      return low == kCatalog;
  }
  return false;
}

bool Mysql::packet_ends(Side side, Packets& w, Token& token) {
  if (w.pending > 0) return false;
  if (w.step < w.plan.size() && w.plan[w.step].size != kRest) return false;
  return side == Side::requests ? request_ends(token) : response_packet_ends(token);
}

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Mysql>(from_beginning); }

}  // namespace tailcap::formats::calls::mysql
