// What begins a connection and what proves an I/O of it; whose fault an error is.
#include <algorithm>
#include <cstddef>

#include "formats/calls/memcached/commands.h"
#include "formats/calls/memcached/machine.h"
#include "formats/calls/memcached/memcached.h"

namespace tailcap::formats::calls::memcached {
namespace {

bool is_evidence(std::string_view bytes) {
  std::size_t n = 0;
  while (n < bytes.size() && n <= kMaxName && is_name(Side::requests, bytes[n])) ++n;
  const Command* c = find(kCommands, bytes.substr(0, n));
  return c && c->evidence;
}

// A number alone: digits, or what masked ones became.
bool is_number_line(std::string_view bytes) {
  if (!bytes.ends_with("\r\n") || bytes.size() < 3 || bytes.size() > kMaxNumber + 2) return false;
  bytes.remove_suffix(2);
  return std::all_of(bytes.begin(), bytes.end(), is_digit) ||
         bytes.find_first_not_of(bytes[0] == '?' ? '?' : '*') == bytes.npos;
}

// Reads all of the bytes. False: the protocol does not allow them.
bool read(Memcached& machine, Side side, std::string_view bytes) {
  while (!bytes.empty()) {
    const Token token = machine.next(side, bytes);
    if (token.size == 0) return false;
    bytes.remove_prefix(token.size);
  }
  return true;
}

}  // namespace

bool begins(Side side, std::string_view bytes) {
  if (side != Side::requests || bytes.empty()) return false;
  Memcached machine(true);
  const bool binary = byte(bytes[0]) == magic_of(side);
  if (!binary && !is_evidence(bytes)) return false;
  if (!read(machine, side, bytes)) return false;
  return machine.lines() > 0 || (!binary && bytes.find(' ') != bytes.npos);
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  if (bytes.empty() || bytes.size() > length) return false;
  const bool binary = byte(bytes[0]) == magic_of(side), whole = bytes.size() == length;
  if (!binary && side == Side::requests && !is_evidence(bytes)) return false;
  if (!binary && side == Side::responses && is_hidden_digit(bytes[0])) return whole && is_number_line(bytes);
  // People end lines with LF alone, programs do not.
  const std::size_t end = bytes.find('\n');
  if (!binary && (end == bytes.npos || end == 0 || bytes[end - 1] != '\r')) return false;
  Memcached machine(false);
  if (!read(machine, side, bytes) || machine.lines() == 0) return false;
  return !whole || machine.may_pause(side);
}

Fault fault(std::string_view error_code) {
  constexpr unsigned kUnknownCommand = 0x81, kNotSupported = 0x83;
  unsigned status = 0;
  if (!error_code.empty() && error_code.size() <= 5 && std::all_of(error_code.begin(), error_code.end(), is_digit)) {
    for (const char c : error_code) status = status * 10 + (byte(c) - '0');
  } else if (error_code.size() == 2) {
    status = two(error_code.data());
  } else {
    return error_code == kLines[kServerError].name ? Fault::server : Fault::client;
  }
  return status > kUnknownCommand && status != kNotSupported ? Fault::server : Fault::client;
}

}  // namespace tailcap::formats::calls::memcached
