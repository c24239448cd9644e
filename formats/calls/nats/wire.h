// Names and texts of the protocol, and its limits.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::nats {

inline constexpr std::uint32_t kLongestLine = 32u << 10;  // servers allow 4096 bytes, unless they are set otherwise
inline constexpr std::uint32_t kLongestJson = 1u << 20;
inline constexpr std::size_t kMostDigits = 9;  // of a size; servers allow 64 MiB
inline constexpr std::size_t kMostIdDigits = 20;
inline constexpr unsigned kFailures = 400;  // this status, and those above
// Answers to a request for messages: there are none, or none came in the time that it asked to wait.
constexpr bool brings_none(unsigned status) { return status == 404 || status == 408; }

// In the order of their names.
enum class Verb : std::uint8_t { ok, error, connect, hmsg, hpub, info, msg, ping, pong, pub, sub, unsub };
inline constexpr auto kNames = std::to_array<std::string_view>(
    {"+ok", "-err", "connect", "hmsg", "hpub", "info", "msg", "ping", "pong", "pub", "sub", "unsub"});

// What stands behind a name:
//   s subject, e reply subject, n size or count, i number of a subscription or name of a queue group
//   J JSON, T text of an error
// A line can have one word less; then a size stands where e is.
struct Line {
  std::string_view words;
  bool requests, responses;
};
inline constexpr auto kLines = std::to_array<Line>({{"", false, true},
                                                    {"T", false, true},
                                                    {"J", true, false},
                                                    {"sienn", false, true},
                                                    {"senn", true, false},
                                                    {"J", false, true},
                                                    {"sien", false, true},
                                                    {"", true, true},
                                                    {"", true, true},
                                                    {"sen", true, false},
                                                    {"sii", true, false},
                                                    {"in", true, false}});

// What the texts of errors begin with.
inline constexpr auto kPhrases = std::to_array<std::string_view>({"account authentication expired",
                                                                  "attempted to connect to gateway port",
                                                                  "attempted to connect to leaf node port",
                                                                  "attempted to connect to route port",
                                                                  "authentication expired",
                                                                  "authentication timeout",
                                                                  "authorization violation",
                                                                  "connection closed",
                                                                  "failed account registration",
                                                                  "invalid client protocol",
                                                                  "invalid publish subject",
                                                                  "invalid subject",
                                                                  "maximum account active connections exceeded",
                                                                  "maximum connections exceeded",
                                                                  "maximum control line exceeded",
                                                                  "maximum payload violation",
                                                                  "maximum subscriptions exceeded",
                                                                  "message headers not supported",
                                                                  "no responders requires headers support",
                                                                  "parser error",
                                                                  "permissions violation for publish to",
                                                                  "permissions violation for publish with reply of",
                                                                  "permissions violation for subscription to",
                                                                  "secure connection - tls required",
                                                                  "server shutdown",
                                                                  "slow consumer",
                                                                  "stale connection",
                                                                  "unknown protocol operation",
                                                                  "user authentication expired",
                                                                  "user authentication revoked"});
// One of kPhrases: the server says so instead of letting a client in.
constexpr bool refuses_login(std::string_view phrase) {
  return phrase.find("auth") != phrase.npos || phrase.find("connections exceeded") != phrase.npos ||
         phrase == "failed account registration";
}
constexpr bool denies(std::string_view phrase) { return phrase.starts_with("permissions violation"); }

// Subjects of the server and of libraries begin so. What follows is read as subject.h says.
inline constexpr std::string_view kAck = "$JS.ACK.", kInbox = "_INBOX", kPull = "$JS.API.CONSUMER.MSG.NEXT.";
inline constexpr auto kHeads = std::to_array<std::string_view>({kAck,
                                                                "$JS.API.CONSUMER.CREATE.",
                                                                "$JS.API.CONSUMER.DELETE.",
                                                                "$JS.API.CONSUMER.DURABLE.CREATE.",
                                                                "$JS.API.CONSUMER.INFO.",
                                                                "$JS.API.CONSUMER.LEADER.STEPDOWN.",
                                                                "$JS.API.CONSUMER.LIST.",
                                                                kPull,
                                                                "$JS.API.CONSUMER.NAMES.",
                                                                "$JS.API.CONSUMER.PAUSE.",
                                                                "$JS.API.DIRECT.GET.",
                                                                "$JS.API.INFO",
                                                                "$JS.API.META.LEADER.STEPDOWN",
                                                                "$JS.API.STREAM.CREATE.",
                                                                "$JS.API.STREAM.DELETE.",
                                                                "$JS.API.STREAM.INFO.",
                                                                "$JS.API.STREAM.LEADER.STEPDOWN.",
                                                                "$JS.API.STREAM.LIST",
                                                                "$JS.API.STREAM.MSG.DELETE.",
                                                                "$JS.API.STREAM.MSG.GET.",
                                                                "$JS.API.STREAM.NAMES",
                                                                "$JS.API.STREAM.PEER.REMOVE.",
                                                                "$JS.API.STREAM.PURGE.",
                                                                "$JS.API.STREAM.RESTORE.",
                                                                "$JS.API.STREAM.SNAPSHOT.",
                                                                "$JS.API.STREAM.UPDATE.",
                                                                kInbox});
static_assert(std::ranges::is_sorted(kNames) && std::ranges::is_sorted(kPhrases) && std::ranges::is_sorted(kHeads));

inline constexpr std::string_view kTlsRequired = ",\"tls_required\":true";
inline constexpr std::string_view kVersion = "NATS/1.0 ";
inline constexpr std::size_t kStatusEnd = 12;  // in headers

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_break(char c) { return c == '\r' || c == '\n'; }
constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Signs of subjects and other words.
inline constexpr auto kWordSigns = [] {
  std::array<bool, 256> signs{};
  for (std::size_t c = '!'; c < signs.size(); ++c) signs[c] = c != 0x7f;
  return signs;
}();
constexpr bool is_word(char c) { return kWordSigns[static_cast<unsigned char>(c)]; }

// Which text of a sorted list is being read, sign by sign.
class Match {
 public:
  // False: none goes on so; then nothing has changed.
  bool step(std::span<const std::string_view> list, char c) {
    if (list[row_].size() > size_ && list[row_][size_] == c) {
      ++size_;
      return true;
    }
    const std::string_view before = list[row_].substr(0, size_);
    for (std::size_t row = row_ + 1u; row < list.size() && list[row].starts_with(before); ++row) {
      if (list[row].size() == size_ || list[row][size_] != c) continue;
      row_ = static_cast<std::uint8_t>(row);
      ++size_;
      return true;
    }
    return false;
  }
  // Empty: it is not whole.
  std::string_view whole(std::span<const std::string_view> list) const {
    return list[row_].size() == size_ ? list[row_] : std::string_view();
  }
  std::size_t row() const { return row_; }
  std::size_t size() const { return size_; }

 private:
  std::uint8_t row_ = 0, size_ = 0;
};

}  // namespace tailcap::formats::calls::nats
