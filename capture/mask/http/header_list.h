// Which header fields keep their values: the only list, for HTTP/1 and HTTP/2, heads and trailers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "capture/mask/sheet/keep.h"
#include "ground/http_text.h"

namespace tailcap::capture::mask {

enum class Value : std::uint8_t {
  masked,
  kept,
  target,     // a path with a query, see target.h
  authority,  // a host: what is in front of an '@' is masked
};

class HeaderList {
 public:
  explicit HeaderList(const Keep& keep = {});
  // `name` in lower case.
  Value of(std::string_view name) const;
  bool keeps_query(std::string_view key) const;

  // The names that are on the list without having been asked for, sorted.
  static std::span<const std::string_view> standard();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, Value, Hash, std::equal_to<>> values_;
  Keep keep_;
};

using ground::is_token;
using ground::lower;

}  // namespace tailcap::capture::mask
