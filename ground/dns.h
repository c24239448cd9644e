// Messages of name servers, RFC 1035: where their parts are. Any bytes may come; nothing outside them is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tailcap::ground::dns {

inline constexpr std::size_t kHeader = 12;
inline constexpr std::size_t kQuestion = 4;  // type and class, behind the name
inline constexpr std::uint16_t kA = 1, kNs = 2, kCname = 5, kPtr = 12, kAaaa = 28, kInternet = 1;

inline std::uint16_t number(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

struct Header {
  std::uint16_t id = 0, flags = 0;
  std::uint32_t records = 0;
  bool response() const { return (flags & 0x8000) != 0; }
  bool truncated() const { return (flags & 0x0200) != 0; }
  int rcode() const { return flags & 15; }
};

// Nothing if this is no query with one question (RFC 9619) and no response to one.
inline std::optional<Header> header(std::string_view bytes) {
  if (bytes.size() < kHeader) return std::nullopt;
  Header h;
  h.id = number(bytes, 0);
  h.flags = number(bytes, 2);
  if ((h.flags >> 11 & 15) != 0 || number(bytes, 4) != 1) return std::nullopt;
  h.records = std::uint32_t{number(bytes, 6)} + number(bytes, 8) + number(bytes, 10);
  return h;
}

// Where the name at `at` ends: behind its last label or its pointer. label(begin, length) is called for each label that
// is written here. Nothing: it is malformed or cut.
template <class Label>
std::optional<std::size_t> name_end(std::string_view bytes, std::size_t at, Label label) {
  constexpr std::size_t kMostLabels = 128, kMostOfLabel = 63;
  for (std::size_t labels = 0; labels < kMostLabels && at < bytes.size(); ++labels) {
    const std::size_t length = static_cast<unsigned char>(bytes[at]);
    if (length >= 0xc0) return bytes.size() - at >= 2 ? std::optional(at + 2) : std::nullopt;
    if (length > kMostOfLabel) return std::nullopt;
    ++at;
    if (length == 0) return at;
    if (length > bytes.size() - at) return std::nullopt;
    label(at, length);
    at += length;
  }
  return std::nullopt;
}

// What is behind the name of a record.
struct Record {
  std::uint16_t type = 0, kind = 0, length = 0;
  std::size_t data = 0;  // where it begins; all of it is there
  bool address() const { return kind == kInternet && ((type == kA && length == 4) || (type == kAaaa && length == 16)); }
};
inline std::optional<Record> record(std::string_view bytes, std::size_t behind_name) {
  constexpr std::size_t kFixed = 10;  // type, class, time to live, length
  if (behind_name > bytes.size() || bytes.size() - behind_name < kFixed) return std::nullopt;
  Record r;
  r.type = number(bytes, behind_name);
  r.kind = number(bytes, behind_name + 2);
  r.length = number(bytes, behind_name + 8);
  r.data = behind_name + kFixed;
  if (r.length > bytes.size() - r.data) return std::nullopt;
  return r;
}

}  // namespace tailcap::ground::dns
