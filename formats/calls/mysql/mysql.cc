#include "formats/calls/mysql/mysql.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "formats/calls/mysql/packets.h"
#include "formats/calls/mysql/wire.h"

namespace tailcap::formats::calls::mysql {
namespace {

// Status flags.
constexpr std::uint16_t kMoreResults = 0x0008, kCursorExists = 0x0040;

constexpr std::size_t kMaxAsked = 4096;      // pipelined commands
constexpr std::uint16_t kProgress = 0xffff;  // the code of an ERR that is none

enum class Known : std::uint8_t { unknown, no, yes };

class Mysql final : public Machine {
 public:
  explicit Mysql(bool from_beginning)
      : phase_(from_beginning ? Phase::greeting : Phase::first),
        connecting_(from_beginning),
        handshaken_(!from_beginning),
        eof_deprecated_(Known::unknown) {}

  Token next(Side side, std::string_view bytes) override;
  bool skip(Side side, std::uint64_t n) override;
  bool resume(Side side, std::string_view bytes, Token& ended) override;
  Order order() const override { return Order::proof; }
  bool at_border(Side side) const override;
  bool turns_to_tls() const override { return tls_; }

 private:
  enum class Phase : std::uint8_t { greeting, first, behind_file, definitions, behind_definitions, rows };
  enum class Packet : std::uint8_t { greeting, ok, error, eof, count, definition, row, prepared, file, text, other };
  enum class Request : std::uint8_t { command, handshake, ssl, data };
  struct Asked {
    Kind kind;
    std::uint8_t packets;  // their number is the sequence number of the answer
  };

  Packets& way(Side side) { return ways_[static_cast<std::size_t>(side)]; }
  Token header(Side side, Packets& w, std::string_view bytes);
  Token piece(Side side, Packets& w, std::string_view bytes);
  bool begin_request(Packets& w, std::uint8_t sequence);
  bool begin_response(Packets& w, std::uint8_t sequence);
  bool decide_request(Packets& w, std::uint8_t lead);
  bool decide_response(Packets& w, std::uint8_t lead);
  bool decide_first(Packets& w, std::uint8_t lead);
  bool decide_row(Packets& w, std::uint8_t lead);
  void choose(Side side, Packets& w, std::uint8_t lead);
  bool use(Packets& w, Use what);
  bool packet_ends(Side side, Packets& w, Token& token);
  bool request_ends(Token& token);
  bool response_packet_ends(Token& token);
  void results_end(Token& token);
  void definition_ends(Token& token);
  void open_response();
  void end_response(Token& token, bool failed);

  bool agreed(std::uint32_t capability) const { return (client_ & server_ & capability) != 0; }
  Known query_attributes() const {
    return !sees_capabilities_ ? Known::unknown : agreed(kQueryAttributes) ? Known::yes : Known::no;
  }
  bool plan(Packets& w, Packet packet, Plan plan) {
    packet_ = packet;
    w.plan = plan;
    return true;
  }

  std::array<Packets, 2> ways_;
  std::vector<Asked> asked_;  // the oldest first
  unsigned early_ = 0;        // responses that were seen before their requests: two CPUs recorded them
  // Capabilities; those of a server whose greeting was not seen do not restrict the client's.
  std::uint32_t server_ = ~0u, client_ = 0;
  bool sees_capabilities_ = false, compressed_ = false, tls_ = false;

  // Of requests.
  Request request_ = Request::command;
  const Command* command_ = nullptr;  // the last one
  std::uint8_t packets_ = 0;          // of the current request
  bool empty_ = false;                // the packet is empty
  bool in_file_ = false;              // a file of LOAD DATA LOCAL is under way
  int files_due_ = 0;                 // files that the server asked for and that have not ended

  // Of responses.
  Phase phase_;
  Kind kind_ = Kind::unknown;
  Packet packet_ = Packet::other;
  bool open_ = false;          // a response has begun
  bool connecting_;            // the next response is that of CONNECT
  bool handshaken_;            // the HandshakeResponse was seen
  bool inside_tls_ = false;    // the greeting was outside of TLS, which carries these bytes
  bool pushed_ = false;        // the current response answers no request
  bool metadata_ = true;       // definitions of columns follow
  bool first_packet_ = false;  // of a response
  Known eof_deprecated_;
  std::uint16_t status_ = 0, code_ = 0;
  std::uint32_t columns_ = 0, parameters_ = 0;  // definitions that are to come
};

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

bool Mysql::begin_request(Packets& w, std::uint8_t sequence) {
  packets_ = 1;
  empty_ = w.left == 0;
  if (!handshaken_) {
    if (sequence == 0 || sequence > 2 || w.left < kSslRequest || w.continues) return false;
    const bool ssl = w.left == kSslRequest;
    if (ssl && sequence != 1) return false;
    inside_tls_ = sequence == 2;
    request_ = ssl ? Request::ssl : Request::handshake;
    w.plan = ssl ? Plan(kSslPlan) : Plan(kHandshake);
    return true;
  }
  const bool login = command_ == nullptr || command_->kind == Kind::login;
  if (sequence != 0 || in_file_ || files_due_ > 0) {
    // The client answers the server within a call: with what a plugin asks for, or with the packets of a file.
    if (!login && command_->kind != Kind::result) return false;
    request_ = Request::data;
    w.plan = kHidden;
    in_file_ = !login;
    return true;
  }
  request_ = Request::command;
  return !empty_;
}

bool Mysql::decide_request(Packets& w, std::uint8_t lead) {
  command_ = command_of(lead);
  if (command_ == nullptr) return false;
  w.plan = command_->plan;
  return true;
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

bool Mysql::request_ends(Token& token) {
  Kind kind = Kind::login;
  switch (request_) {
    case Request::ssl:
      tls_ = true;
      return true;
    case Request::data:
      if (empty_ && in_file_) {
        in_file_ = false;
        files_due_--;
      }
      return true;
    case Request::handshake:
      handshaken_ = true;
      token.operation = "CONNECT";
      break;
    case Request::command:
      kind = command_->kind;
      if (kind == Kind::none) return true;
      token.operation = command_->name;
      break;
  }
  token.ends = true;
  if (early_ > 0) {
    early_--;
    return true;
  }
  if (asked_.size() >= kMaxAsked) return false;
  asked_.push_back({kind, packets_});
  return true;
}

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

}  // namespace

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Mysql>(from_beginning); }

}  // namespace tailcap::formats::calls::mysql
