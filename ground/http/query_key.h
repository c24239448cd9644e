// The names of query and path parameters.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "ground/http/http_text.h"

namespace tailcap::ground {

// What stands before '=' and is no name may be anything, a credential or a document among it.
inline bool is_query_key(std::string_view text) {
  constexpr std::size_t kMost = 32;
  return !text.empty() && text.size() <= kMost && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace tailcap::ground
