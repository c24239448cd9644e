// What begins a connection and what proves an I/O of it; whose fault an error is.
#include <algorithm>

#include "formats/calls/postgresql/postgresql.h"
#include "formats/calls/postgresql/wire.h"

namespace tailcap::formats::calls::postgresql {
namespace {

// What is visible of a body, from its beginning. What is not visible is taken as legal.
class Look {
 public:
  Look(std::string_view seen, std::uint64_t length) : seen_(seen), length_(length) {}

  // More of the body is visible, and nothing before it is wrong.
  bool goes_on() const { return legal_ && at_ < seen_.size(); }
  bool legal_end() const { return legal_ && (at_ == length_ || at_ >= seen_.size()); }

  std::uint32_t number(std::size_t bytes) {
    std::uint32_t n = 0;
    for (std::size_t i = at_; i < at_ + bytes && i < seen_.size(); i++)
      n = n << 8 | static_cast<std::uint8_t>(seen_[i]);
    const bool whole = at_ + bytes <= seen_.size();
    pass(bytes);
    return whole ? n : 0;
  }
  void pass(std::uint64_t bytes) {
    legal_ = legal_ && bytes <= length_ - at_;
    if (legal_) at_ += bytes;
  }
  void demand(bool fact) { legal_ = legal_ && fact; }
  // Without control characters but for white space; at least that many characters.
  void text(std::size_t least = 0) {
    if (!goes_on()) return;
    const std::string_view rest = seen_.substr(static_cast<std::size_t>(at_));
    const std::size_t n = rest.find('\0');
    for (const char c : rest.substr(0, n))
      legal_ = legal_ && (static_cast<std::uint8_t>(c) >= ' ' || (c >= 8 && c <= 13));
    legal_ = legal_ && n >= least;
    n == rest.npos ? pass(rest.size() + 1) : pass(n + 1);
  }
  // A count N, and then N times the same.
  template <class Each>
  void times(Each each) {
    for (std::uint32_t n = number(2); n > 0 && goes_on(); n--) each();
  }
  void formats() {
    times([this] { demand(number(2) <= 1); });
  }
  void values() {
    times([this] {
      const bool whole = at_ + 4 <= seen_.size();
      const std::uint32_t n = number(4);
      if (whole && n != 0xffff'ffff) pass(n);  // NULL
    });
  }
  // The rest was masked. Its last byte may be kept.
  bool masked() const {
    if (!goes_on()) return false;
    std::string_view rest = seen_.substr(static_cast<std::size_t>(at_));
    if (seen_.size() == length_ && rest.size() > 1 && (rest.back() == 0 || rest.back() == 1)) rest.remove_suffix(1);
    return rest.find_first_not_of('*') == rest.npos;
  }
  void finish() { at_ = length_; }

 private:
  std::string_view seen_;
  std::uint64_t length_, at_ = 0;
  bool legal_ = true;
};

bool legal_request(char type, Look& look) {
  if (has("SHXc", type)) return true;
  if (type == 'Q' || type == 'f') look.text();
  if (type == 'P') {
    look.text();
    look.text();
    if (look.masked()) return true;
    look.times([&] { look.pass(4); });
  } else if (type == 'B') {
    look.text();
    look.text();
    if (look.masked()) return true;
    look.formats();
    look.values();
    look.formats();
  } else if (type == 'D' || type == 'C') {
    const std::uint32_t target = look.number(1);
    look.demand(target == 'S' || target == 'P' || target == 0);
    look.text();
  } else if (type == 'E') {
    look.text();
    look.pass(4);
  } else if (type == 'F') {
    if (look.masked()) return true;
    look.pass(4);
    look.formats();
    look.values();
    look.demand(look.number(2) <= 1);
  } else if (type == 'd') {
    return true;
  }
  return !has("p", type) && look.legal_end();
}

bool legal_response(char type, Look& look) {
  if (has("123nsIcd", type)) return true;
  if (has("Rv", type)) return false;  // only at the beginning of a connection
  if (type == 'Z') return look.goes_on() ? is_status(static_cast<char>(look.number(1))) : true;
  if (type == 'C') {
    if (look.goes_on()) {
      const std::uint32_t c = look.number(1);
      look.demand(c >= 'A' && c <= 'Z');
    }
    look.text();
    return look.legal_end();
  }
  if (look.masked()) return true;
  if (type == 'E' || type == 'N') {
    while (look.goes_on()) {
      const auto code = static_cast<char>(look.number(1));
      if (code == 0) break;
      look.demand((code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z'));
      look.text();
    }
  } else if (type == 'S') {
    look.text(1);
    look.text();
  } else if (type == 'A') {
    look.pass(4);
    look.text(1);
    look.text();
  } else if (type == 't') {
    look.times([&] { look.pass(4); });
  } else if (type == 'T') {
    look.times([&] {
      look.text();
      look.pass(18);
    });
  } else if (type == 'D') {
    look.values();
  } else if (has("GHW", type)) {
    look.demand(look.number(1) <= 1);
    look.formats();
  } else {
    return true;  // K, V
  }
  return look.legal_end();
}

}  // namespace

bool begins(Side side, std::string_view bytes) {
  if (side == Side::responses || bytes.size() < 8) return false;
  const auto number = [&](std::size_t from) {
    std::uint32_t n = 0;
    for (const char c : bytes.substr(from, 4)) n = n << 8 | static_cast<std::uint8_t>(c);
    return n;
  };
  const std::uint32_t length = number(0), code = number(4);
  if (code == kSslRequest || code == kGssRequest) return length == 8;
  if (code == kCancelRequest) return length >= 16 && length <= kMaxCancel;
  // Kafka's Metadata request has the same head. What follows there is a number; here it is the name of a parameter.
  if (code >> 16 != 3 || length < 9 || length > kMaxStartup || bytes.size() < 9) return false;
  for (std::size_t i = 8; i < bytes.size() && (bytes[i] != 0 || i == 8); i++)
    if (!kName.holds(bytes[i]) && bytes[i] != '*') return false;  // whole or masked
  return true;
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  const bool requests = side == Side::requests;
  if (bytes.size() < 5 || bytes.size() > length || !has(requests ? "QPBCDEFS" : "123CDEInstTSNKZ", bytes[0]))
    return false;
  std::uint64_t at = 0;
  while (at + 5 <= bytes.size()) {
    const std::string_view rest = bytes.substr(static_cast<std::size_t>(at));
    const char type = rest[0];
    const std::uint64_t size = Look(rest.substr(1), 4).number(4);
    if (!legal_length(side, type, size)) return false;
    Look look(rest.substr(5, static_cast<std::size_t>(size - 4)), size - 4);
    if (!(requests ? legal_request(type, look) : legal_response(type, look))) return false;
    // A server sends its buffer when it is full. A row alone proves little.
    if (at + 1 + size > length) return !requests && type == 'D' && at > 0;
    at += 1 + size;
  }
  if (at >= bytes.size()) return bytes.size() < length || at == length;
  const char cut = bytes[static_cast<std::size_t>(at)];
  return bytes.size() < length ? lengths_of(side, cut) != nullptr : !requests && cut == 'D';
}

Fault fault(std::string_view sqlstate) {
  // Connection, rollback (deadlocks too), resources, state (locks too), operator, system, snapshot, configuration,
  // foreign data, internal.
  constexpr std::string_view kServer[] = {"08", "40", "53", "55", "57", "58", "72", "F0", "HV", "XX"};
  constexpr std::string_view kClient[] = {"01", "02", "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20",
                                          "21", "22", "23", "24", "25", "26", "27", "28", "2B", "2D", "2F",
                                          "34", "38", "39", "3B", "3D", "3F", "42", "44", "54", "P0"};
  if (sqlstate.size() != 5 || std::ranges::count(kServer, sqlstate.substr(0, 2)) > 0) return Fault::server;
  return std::ranges::count(kClient, sqlstate.substr(0, 2)) > 0 ? Fault::client : Fault::server;
}

}  // namespace tailcap::formats::calls::postgresql
