// C++ values as JSON: what a schema says of their type, and how they are written. shape.h describes which type is what.
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <ranges>
#include <string_view>
#include <type_traits>
#include <utility>

#include "analyze/model/columns/getters.h"
#include "analyze/report/json/json_type.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {

template <class V>
struct OrNull {
  V value;
};
template <auto last>
struct OneOf {
  static std::vector<std::string_view> names() { return model::columns::names_up_to<last>(); }
  decltype(last) value;
};
// Pairs of a name and a value.
template <class Pairs>
struct Map {
  Pairs pairs;
};

template <class Get, class T, class C>
decltype(auto) got(const Get& get, const T& from, const C& context) {
  if constexpr (std::is_invocable_v<const Get&, const T&, const C&>)
    return std::invoke(get, from, context);
  else
    return std::invoke(get, from);
}

// Null where it is "", 0, no number or no request.
template <class Get>
auto or_null(Get get) {
  return [get](const auto& from, const auto& context) {
    return OrNull<std::remove_cvref_t<decltype(got(get, from, context))>>{got(get, from, context)};
  };
}
// A value of an enumeration, the last of which is `last`.
template <auto last, class Get>
auto one_of(Get get) {
  return [get](const auto& from, const auto& context) { return OneOf<last>{got(get, from, context)}; };
}
template <class V>
std::optional<V> when(bool known, V value) {
  return known ? std::optional<V>(std::move(value)) : std::nullopt;
}
// One of the structure's values, null where it is not there.
template <class V>
const V* where(bool there, const V& value) {
  return there ? &value : nullptr;
}

// The context of shapes that need none.
struct Anywhere {
  Anywhere() = default;
  template <class C>
  Anywhere(const C&) {}
};

namespace shapes {

template <class V>
concept Text = std::is_convertible_v<const V&, std::string_view>;
template <class V>
concept Optional = !Text<V> && requires(const V& v) {
  *v, static_cast<bool>(v);
};
template <class V, template <class...> class Of>
inline constexpr bool kIs = false;
template <template <class...> class Of, class... A>
inline constexpr bool kIs<Of<A...>, Of> = true;
template <class V>
inline constexpr bool kIsOneOf = false;
template <auto last>
inline constexpr bool kIsOneOf<OneOf<last>> = true;

inline bool empty(std::string_view text) { return text.empty(); }
inline bool empty(double number) { return !std::isfinite(number); }
inline bool empty(std::integral auto number) { return number == 0; }
inline bool empty(model::ExchangeId id) { return id.connection == 0; }

template <class V>
JsonType type_of() {
  using Kind = JsonType::Kind;
  if constexpr (std::is_same_v<V, bool>) {
    return {Kind::boolean};
  } else if constexpr (std::is_integral_v<V>) {
    return {.kind = Kind::integer, .bounds = {.least = when<std::int64_t>(std::is_unsigned_v<V>, 0)}};
  } else if constexpr (std::is_same_v<V, formats::Duration>) {
    return {.kind = Kind::integer, .bounds = {.least = 0}};
  } else if constexpr (std::is_same_v<V, formats::Time>) {
    return {.kind = Kind::integer, .or_null = true};
  } else if constexpr (std::is_floating_point_v<V>) {
    return {Kind::number};
  } else if constexpr (Text<V>) {
    return {Kind::text};
  } else if constexpr (std::is_same_v<V, model::ExchangeId>) {
    return {.kind = Kind::text, .bounds = {.pattern = "^[0-9]+\\.[0-9]+$"}};
  } else if constexpr (kIsOneOf<V>) {
    return {.kind = Kind::text, .bounds = {.values = V::names()}};
  } else if constexpr (kIs<V, OrNull>) {
    JsonType out = type_of<decltype(V::value)>();
    out.or_null = true;
    if (out.kind == Kind::integer && out.bounds.least) out.bounds.least = 1;
    if (out.kind == Kind::text) out.bounds.least_length = 1;
    return out;
  } else if constexpr (Optional<V>) {
    JsonType out = type_of<std::remove_cvref_t<decltype(*std::declval<const V&>())>>();
    out.or_null = true;
    return out;
  } else if constexpr (kIs<V, Map>) {
    using Pair = std::ranges::range_value_t<decltype(V::pairs)>;
    return {.kind = Kind::map,
            .each = std::make_shared<JsonType>(type_of<std::remove_cvref_t<typename Pair::second_type>>())};
  } else if constexpr (kIs<V, std::pair>) {
    JsonType out{.kind = Kind::list, .bounds = {.least_items = 2, .most_items = 2}};
    out.each = std::make_shared<JsonType>(type_of<typename V::second_type>());
    return out;
  } else {
    return {.kind = Kind::list, .each = std::make_shared<JsonType>(type_of<std::ranges::range_value_t<V>>())};
  }
}

template <class V, class C>
void put(JsonWriter& json, const V& value, const C& context) {
  if constexpr (std::is_same_v<V, bool>) {
    json.boolean(value);
  } else if constexpr (std::is_unsigned_v<V>) {
    json.number(std::uint64_t{value});
  } else if constexpr (std::is_integral_v<V>) {
    json.number(std::int64_t{value});
  } else if constexpr (std::is_same_v<V, formats::Duration>) {
    json.number(std::int64_t{value.count()});
  } else if constexpr (std::is_same_v<V, formats::Time>) {
    formats::known(value) && context.clock.known() ? json.number(context.clock.realtime(value)) : json.null();
  } else if constexpr (std::is_floating_point_v<V>) {
    json.real(value);
  } else if constexpr (Text<V>) {
    json.text(value);
  } else if constexpr (std::is_same_v<V, model::ExchangeId>) {
    json.text(id_text(value));
  } else if constexpr (kIsOneOf<V>) {
    json.text(name_of(value.value));
  } else if constexpr (kIs<V, OrNull>) {
    empty(value.value) ? json.null() : put(json, value.value, context);
  } else if constexpr (Optional<V>) {
    value ? put(json, *value, context) : json.null();
  } else if constexpr (kIs<V, Map>) {
    json.begin_object();
    for (const auto& [name, one] : value.pairs) {
      json.key(name);
      put(json, one, context);
    }
    json.end_object();
  } else {
    json.begin_array();
    if constexpr (kIs<V, std::pair>) {
      put(json, value.first, context);
      put(json, value.second, context);
    } else {
      for (const auto& one : value) put(json, one, context);
    }
    json.end_array();
  }
}

// The same with objects of a shape in the place of values.
template <class S, class V>
JsonType type_with(const S& shape) {
  if constexpr (std::is_convertible_v<const V&, const typename S::Value&>) {
    return {.kind = JsonType::Kind::object, .object = &shape};
  } else if constexpr (Optional<V>) {
    JsonType out = type_with<S, std::remove_cvref_t<decltype(*std::declval<const V&>())>>(shape);
    out.or_null = true;
    return out;
  } else {
    return {.kind = JsonType::Kind::list,
            .each = std::make_shared<JsonType>(type_with<S, std::ranges::range_value_t<V>>(shape))};
  }
}

template <class S, class V, class C>
void put_with(JsonWriter& json, const S& shape, const V& value, const C& context) {
  if constexpr (std::is_convertible_v<const V&, const typename S::Value&>) {
    shape.write(json, value, context);
  } else if constexpr (Optional<V>) {
    value ? put_with(json, shape, *value, context) : json.null();
  } else {
    json.begin_array();
    for (const auto& one : value) put_with(json, shape, one, context);
    json.end_array();
  }
}

// The same with objects that are JSON already.
template <class V>
JsonType type_of_written(const Description* object) {
  if constexpr (Text<V>) {
    return {.kind = JsonType::Kind::object, .object = object};
  } else if constexpr (Optional<V>) {
    return {.kind = JsonType::Kind::object, .or_null = true, .object = object};
  } else {
    return {.kind = JsonType::Kind::list, .each = std::make_shared<JsonType>(type_of_written<std::string>(object))};
  }
}

template <class V>
void put_written(JsonWriter& json, const V& value) {
  if constexpr (Text<V>) {
    json.raw(value);
  } else if constexpr (Optional<V>) {
    value ? json.raw(*value) : json.null();
  } else {
    json.begin_array();
    for (const std::string& one : value) json.raw(one);
    json.end_array();
  }
}

}  // namespace shapes

}  // namespace tailcap::report
