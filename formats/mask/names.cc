#include "formats/mask/names.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "ground/dns.h"
#include "ground/http/http_text.h"

namespace tailcap::formats::mask {

namespace dns = ground::dns;

namespace {

constexpr std::uint32_t kMaxRecords = 512;

class NameMessage {
 public:
  NameMessage(std::string& bytes, const NameRules& rules) : bytes_(bytes), rules_(rules) {}

  bool run() {
    const auto header = dns::header(bytes_);
    if (!header || header->records > kMaxRecords) return false;
    std::size_t at = dns::kHeader;
    if (!name(at) || bytes_.size() - at < dns::kQuestion) return false;
    at += dns::kQuestion;
    for (std::uint32_t left = header->records; left > 0 && at < bytes_.size(); --left)
      if (!record(at)) break;
    hide(at, bytes_.size());
    return true;
  }

 private:
  void hide(std::size_t begin, std::size_t end) {
    std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(begin), bytes_.begin() + static_cast<std::ptrdiff_t>(end),
              '*');
  }

  bool name(std::size_t& at) {
    const auto end = dns::name_end(bytes_, at, [&](std::size_t begin, std::size_t length) { label(begin, length); });
    if (end) at = *end;
    return end.has_value();
  }

  void label(std::size_t begin, std::size_t length) {
    const std::string text = bytes_.substr(begin, length);
    const bool of_host = std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || (ground::lower(c) >= 'a' && ground::lower(c) <= 'z') || c == '-' || c == '_' ||
             c == '*';
    });
    if (!of_host)
      hide(begin, begin + length);
    else if (rules_.label)
      bytes_.replace(begin, length, rules_.label(text));
  }

  // A record that is cut or malformed stays at `at`.
  bool record(std::size_t& at) {
    std::size_t behind = at;
    if (!name(behind)) return false;
    const auto record = dns::record(bytes_, behind);
    if (!record) return false;
    const std::size_t end = record->data + record->length;
    std::size_t in = record->data;
    const bool names = record->type == dns::kNs || record->type == dns::kCname || record->type == dns::kPtr;
    if (record->address()) {
      if (rules_.address) bytes_.replace(in, record->length, rules_.address(bytes_.substr(in, record->length)));
    } else if (!names || !name(in) || in != end) {
      hide(record->data, end);
    }
    at = end;
    return true;
  }

  std::string& bytes_;
  const NameRules& rules_;
};

}  // namespace

bool mask_names(std::string& message, const NameRules& rules) { return NameMessage(message, rules).run(); }

}  // namespace tailcap::formats::mask
