// The commands of memcached: text, meta and binary, the lines that answer them, and what names, numbers and headers
// consist of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::memcached {

inline constexpr std::size_t kMaxKey = 250;                  // of the protocol
inline constexpr std::size_t kMaxNumber = 20;                // digits of 64 bits
inline constexpr std::uint64_t kMaxData = (1ull << 31) - 3;  // the server refuses more
inline constexpr std::size_t kMaxName = 12, kMaxHeader = 24;

// Lines of responses, by what they begin with.
enum Form : std::uint8_t {
  kValue,
  kEnd,
  kStat,
  kItem,
  kPrefix,
  kStored,
  kNotStored,
  kExists,
  kNotFound,
  kDeleted,
  kTouched,
  kOk,
  kReset,
  kVersion,
  kMn,
  kHd,
  kEn,
  kNf,
  kNs,
  kEx,
  kVa,
  kMe,
  kError,
  kClientError,
  kServerError,
  kNumber,
};
using Forms = std::uint32_t;
template <class... F>
constexpr Forms forms(F... form) {
  return (0u | ... | (1u << form));
}

// The words of a line. A small letter is one word, a capital one is all the others:
//   k key, w hidden word, n number, l length of the data, d hidden number
//   W hidden words, R hidden words and noreply, F meta flags, T text
struct Line {
  std::string_view name;
  const char* words;
};

inline constexpr Line kLines[] = {
    // by Form
    {"VALUE", "wnlW"},     {"END", ""},      {"STAT", "T"},     {"ITEM", "T"},   {"PREFIX", "T"}, {"STORED", ""},
    {"NOT_STORED", ""},    {"EXISTS", ""},   {"NOT_FOUND", ""}, {"DELETED", ""}, {"TOUCHED", ""}, {"OK", ""},
    {"RESET", ""},         {"VERSION", "T"}, {"MN", ""},        {"HD", "F"},     {"EN", ""},      {"NF", "F"},
    {"NS", "F"},           {"EX", "F"},      {"VA", "lF"},      {"ME", "T"},     {"ERROR", "T"},  {"CLIENT_ERROR", "T"},
    {"SERVER_ERROR", "T"}, {"", "d"},
};

inline constexpr Forms kErrors = forms(kError, kClientError, kServerError);
inline constexpr Forms kGot = forms(kValue, kEnd) | kErrors;
inline constexpr Forms kListed = forms(kStat, kItem, kPrefix, kEnd) | kErrors;
inline constexpr Forms kWritten = forms(kStored, kNotStored, kExists, kNotFound) | kErrors;
inline constexpr Forms kCounted = forms(kNumber, kNotFound) | kErrors;
inline constexpr Forms kDone = forms(kOk) | kErrors;
// Older servers answer OK instead of HD.
inline constexpr Forms kMeta = forms(kVa, kHd, kOk, kEn, kNf, kNs, kEx) | kErrors;
inline constexpr Forms kMetaHit = forms(kVa, kHd, kOk) | kErrors, kMetaRefused = forms(kNf, kNs, kEx) | kErrors;

// A command of the text protocol, or a meta command.
struct Command {
  std::string_view name;
  const char* words;
  Forms answers;         // none: it is not answered
  Forms quietly = 0;     // with the flag q
  bool evidence = true;  // a connection can be recognised by it
};

inline constexpr Command kCommands[] = {
    {"get", "kW", kGot},
    {"gets", "kW", kGot},
    {"gat", "nkW", kGot},
    {"gats", "nkW", kGot},
    {"set", "knnlR", kWritten},
    {"add", "knnlR", kWritten},
    {"replace", "knnlR", kWritten},
    {"append", "knnlR", kWritten},
    {"prepend", "knnlR", kWritten},
    {"cas", "knnlwR", kWritten},
    {"delete", "kR", forms(kDeleted, kNotFound) | kErrors},
    {"incr", "kwR", kCounted},
    {"decr", "kwR", kCounted},
    {"touch", "knR", forms(kTouched, kNotFound) | kErrors},
    {"stats", "W", kListed | forms(kReset, kOk)},
    {"version", "", forms(kVersion) | kErrors},
    {"verbosity", "R", kDone},
    {"flush_all", "R", kDone},
    {"mg", "kF", kMeta, kMetaHit},
    {"ms", "klF", kMeta, kMetaRefused},
    {"md", "kF", kMeta, kMetaRefused},
    {"ma", "kF", kMeta, kMetaRefused},
    {"mn", "", forms(kMn)},
    {"me", "kF", forms(kMe, kEn) | kErrors},
    {"quit", "", 0, 0, false},
    {"shutdown", "W", 0, 0, false},
};

enum class Keyed : std::uint8_t { no, yes, optional, mechanism };

// A command of the binary protocol.
struct Operation {
  std::string_view name;  // empty: there is none
  std::uint8_t extras = 0;
  Keyed key = Keyed::no;
  bool value = false, quiet = false;
};

inline constexpr unsigned kStatOperation = 0x10;
inline constexpr Operation kOperations[] = {
    // by their numbers
    {"GET", 0, Keyed::yes},
    {"SET", 8, Keyed::yes, true},
    {"ADD", 8, Keyed::yes, true},
    {"REPLACE", 8, Keyed::yes, true},
    {"DELETE", 0, Keyed::yes},
    {"INCREMENT", 20, Keyed::yes},
    {"DECREMENT", 20, Keyed::yes},
    {"QUIT"},
    {"FLUSH", 4},
    {"GETQ", 0, Keyed::yes, false, true},
    {"NOOP"},
    {"VERSION"},
    {"GETK", 0, Keyed::yes},
    {"GETKQ", 0, Keyed::yes, false, true},
    {"APPEND", 0, Keyed::yes, true},
    {"PREPEND", 0, Keyed::yes, true},
    {"STAT", 0, Keyed::optional},
    {"SETQ", 8, Keyed::yes, true, true},
    {"ADDQ", 8, Keyed::yes, true, true},
    {"REPLACEQ", 8, Keyed::yes, true, true},
    {"DELETEQ", 0, Keyed::yes, false, true},
    {"INCREMENTQ", 20, Keyed::yes, false, true},
    {"DECREMENTQ", 20, Keyed::yes, false, true},
    {"QUITQ", 0, Keyed::no, false, true},
    {"FLUSHQ", 4, Keyed::no, false, true},
    {"APPENDQ", 0, Keyed::yes, true, true},
    {"PREPENDQ", 0, Keyed::yes, true, true},
    {"VERBOSITY", 4},
    {"TOUCH", 4, Keyed::yes},
    {"GAT", 4, Keyed::yes},
    {"GATQ", 4, Keyed::yes, false, true},
    {},
    {"SASL_LIST_MECHS"},
    {"SASL_AUTH", 0, Keyed::mechanism, true},
    {"SASL_STEP", 0, Keyed::mechanism, true},
    {"GATK", 4, Keyed::yes},
    {"GATKQ", 4, Keyed::yes, false, true},
};

constexpr unsigned byte(char c) { return static_cast<unsigned char>(c); }
constexpr unsigned two(const char* p) { return byte(p[0]) << 8 | byte(p[1]); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// A digit, or what a masked one became.
constexpr bool is_hidden_digit(char c) { return is_digit(c) || c == '*' || c == '?'; }
constexpr bool is_end(char c) { return c == ' ' || c == '\r' || c == '\n'; }
constexpr bool is_rest(char kind) { return kind >= 'A' && kind <= 'Z'; }
constexpr bool is_name(Side side, char c) {
  return c == '_' || (side == Side::requests ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z');
}

// Null: none has that name.
template <class Row, std::size_t N>
const Row* find(const Row (&rows)[N], std::string_view name) {
  const Row* row = std::find_if(rows, rows + N, [&](const Row& r) { return r.name == name; });
  return row == rows + N ? nullptr : row;
}
template <class Row, std::size_t N>
bool any_begins(const Row (&rows)[N], std::string_view name) {
  return std::any_of(rows, rows + N, [&](const Row& r) { return r.name.starts_with(name); });
}
inline bool begins_error(std::string_view name) {
  return std::any_of(kLines + kError, kLines + kServerError + 1,
                     [&](const Line& line) { return line.name.starts_with(name); });
}

// Null: no such operation.
inline const Operation* operation(unsigned number) {
  return number < std::size(kOperations) && !kOperations[number].name.empty() ? &kOperations[number] : nullptr;
}

constexpr unsigned magic_of(Side side) { return side == Side::requests ? 0x80 : 0x81; }

inline bool is_status(unsigned status) {
  return status <= 0x08 || status == 0x20 || status == 0x21 || (status >= 0x81 && status <= 0x86);
}
// A miss (1), a CAS that differs (2), not stored (5) and the next step of SASL (0x21) are no failures.
inline bool is_failure(unsigned status) {
  return status != 0 && status != 1 && status != 2 && status != 5 && status != 0x21;
}

inline std::uint32_t body_of(const char* header) { return two(header + 8) << 16 | two(header + 10); }

// All 24 bytes of a header are what the protocol allows.
inline bool is_header(Side side, const char* header) {
  const Operation* op = operation(byte(header[1]));
  if (byte(header[0]) != magic_of(side) || !op || header[5] != 0) return false;
  const unsigned key = two(header + 2), extras = byte(header[4]), status = two(header + 6);
  const std::uint32_t body = body_of(header);
  if (key > kMaxKey || key + extras > body || body > kMaxData) return false;
  if (side == Side::responses) return is_status(status) && (extras == 0 || (extras == 4 && status == 0));
  const bool flush = op->name.starts_with("FLUSH");
  return status == 0 && (extras == op->extras || (flush && extras == 0)) && (op->value || key + extras == body) &&
         (op->key == Keyed::optional || (op->key != Keyed::no) == (key > 0));
}

}  // namespace tailcap::formats::calls::memcached
