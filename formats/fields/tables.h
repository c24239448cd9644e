// The tables of all kinds, and what is found by a kind's number.
#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <variant>

#include "formats/fields/capture_fields.h"
#include "formats/fields/go_fields.h"
#include "formats/fields/names.h"
#include "formats/fields/socket_fields.h"
#include "formats/fields/task_fields.h"

namespace tailcap::formats {

// Calls f.operator()<B>() for every type of Body.
template <class F>
constexpr void each_body(F&& f) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (f.template operator()<std::variant_alternative_t<i, Body>>(), ...);
  }
  (std::make_index_sequence<std::variant_size_v<Body>>());
}

// By number of the kind.
inline constexpr auto kKindEntries = [] {
  std::array<KindEntry, kKinds> all{};
  each_body([&]<class B>() {
    for (const KindEntry& entry : Table<B>::kinds) all[static_cast<std::size_t>(entry.kind)] = entry;
  });
  return all;
}();

namespace detail {
inline constexpr auto kIndexInBody = [] {
  std::array<std::size_t, kKinds> all{};
  std::size_t index = 0;
  each_body([&]<class B>() {
    for (const KindEntry& entry : Table<B>::kinds) all[static_cast<std::size_t>(entry.kind)] = index;
    ++index;
  });
  return all;
}();
}  // namespace detail

template <Kind kKind>
using BodyOf = std::variant_alternative_t<detail::kIndexInBody[static_cast<std::size_t>(kKind)], Body>;

constexpr bool is_stored(Kind kind) { return kKindEntries[static_cast<std::size_t>(kind)].number != kNotStored; }

// The events of this type are two kinds, by their direction.
template <class B>
inline constexpr bool kTwoKinds = std::size(Table<B>::kinds) == 2;

}  // namespace tailcap::formats
