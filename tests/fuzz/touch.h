// Reads every byte that an event points to, so that a sanitizer detects a view beyond its block, and checks the times.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <type_traits>
#include <variant>

#include "formats/fields/tables.h"

inline std::uint64_t sum(std::string_view bytes) {
  std::uint64_t n = bytes.size();
  for (const char c : bytes) n += static_cast<unsigned char>(c);
  return n;
}

inline std::uint64_t touch(const tailcap::formats::Event& event) {
  using namespace tailcap::formats;
  const auto time = [](Time t) -> std::uint64_t {
    if (!within_range(t)) std::abort();
    return 1;
  };
  std::uint64_t n = time(event.time);
  const auto field = [&]<class T>(const auto&, const T& value) {
    if constexpr (std::is_same_v<T, std::string_view>)
      n += sum(value);
    else if constexpr (std::is_same_v<T, Time>)
      n += time(value);
  };
  std::visit([&](const auto& body) { each_field(body, field); }, event.body);
  return n;
}
