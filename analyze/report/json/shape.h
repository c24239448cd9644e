// What a structure is in JSON: its members, each with its name, its getter and what it means. One list writes the
// values and the JSON schema of them (docs/*.schema.json).
//
//   const Shape<Example, Context> kExample{
//       "example", {{"at_ns", &Example::at, "when it was made"}, {"to", &Example::to, "address and port"}}};
//
// A getter takes the structure, or the structure and the context. What it returns is the type of the member:
// - bool; unsigned numbers and Duration: integers from 0 on; other integers; double: a number; texts;
// - Time: nanoseconds since 1970 by context.clock, null where that is not known; ExchangeId: 12.3;
// - optional, pointer, or_null(getter): null where it is empty; one_of<last>(getter): an enumeration with name_of;
// - a range: a list; a pair: a list of two; Map: an object with names of its own.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "analyze/report/json/json_value.h"

namespace tailcap::report {

template <class T, class C>
class Shape;

// A getter of a place: Refer{[](auto& d) { return &d.limits; }}.
template <class Find>
struct Refer {
  Find find;
  template <class T>
  const auto& operator()(const T& from) const {
    return *find(from);
  }
};
template <class Find>
Refer(Find) -> Refer<Find>;

// A row of a shape.
template <class T, class C>
class ShapeRow {
 public:
  template <class Get>
  using Got = std::remove_cvref_t<decltype(got(std::declval<const Get&>(), std::declval<const T&>(),
                                               std::declval<const C&>()))>;

  template <class Get>
  ShapeRow(std::string_view name, Get get, std::string_view says = {}, JsonBounds bounds = {})
      : said_{described(name, says, shapes::type_of<Got<Get>>(), std::move(bounds))},
        write_([name, get](JsonWriter& json, const T& from, const C& context) {
          json.key(name);
          shapes::put(json, got(get, from, context), context);
        }) {}
  // Objects of a shape.
  template <class U, class D, class Get>
  ShapeRow(std::string_view name, const Shape<U, D>& shape, Get get, std::string_view says = {}, JsonBounds bounds = {})
      : said_{described(name, says, shapes::type_with<Shape<U, D>, Got<Get>>(shape), std::move(bounds))},
        write_([name, &shape, get](JsonWriter& json, const T& from, const C& context) {
          json.key(name);
          shapes::put_with(json, shape, got(get, from, context), context);
        }) {}
  // Objects that are written elsewhere: JSON. A text is one, an optional text one or null.
  template <class Get>
  ShapeRow(std::string_view name, const Description& object, Get get, std::string_view says = {})
      : said_{described(name, says, shapes::type_of_written<Got<Get>>(&object), {})},
        write_([name, get](JsonWriter& json, const T& from, const C& context) {
          json.key(name);
          shapes::put_written(json, got(get, from, context));
        }) {}
  // A list of objects of the shape that the row is in.
  template <class Get>
  ShapeRow(std::string_view name, const Shape<T, C>& (*own)(), Get get, std::string_view says = {})
      : said_{described(name, says, shapes::type_of_written<std::vector<std::string>>(nullptr), {})},
        write_([name, own, get](JsonWriter& json, const T& from, const C& context) {
          json.key(name);
          shapes::put_with(json, own(), got(get, from, context), context);
        }) {}
  // The members of a shape, at this place. They are left out where the getter returns a null pointer.
  template <class U, class D, class Get>
  ShapeRow(const Shape<U, D>& shape, Get get) : said_(shape.members) {
    for (auto& member : said_) member.required = member.required && !shapes::Optional<Got<Get>>;
    write_ = [&shape, get](JsonWriter& json, const T& from, const C& context) {
      if constexpr (shapes::Optional<Got<Get>>) {
        if (const auto* value = got(get, from, context)) shape.write_members(json, *value, context);
      } else {
        shape.write_members(json, got(get, from, context), context);
      }
    };
  }

 private:
  friend class Shape<T, C>;
  std::vector<Description::Member> said_;
  std::function<void(JsonWriter&, const T&, const C&)> write_;
};

// name: that of the definition in a schema. A shape stays where it is: others point to it.
template <class T, class C>
class Shape : public Description {
 public:
  using Value = T;
  Shape(std::string_view called, std::initializer_list<ShapeRow<T, C>> rows) : Description{called, {}}, rows_(rows) {
    for (const auto& row : rows_) members.insert(members.end(), row.said_.begin(), row.said_.end());
    for (auto& member : members)
      if (JsonType* item = member.type.each.get(); item && item->kind == JsonType::Kind::object && !item->object)
        item->object = this;
  }
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;

  void write(JsonWriter& json, const T& from, const C& context) const {
    json.begin_object();
    write_members(json, from, context);
    json.end_object();
  }
  void write_members(JsonWriter& json, const T& from, const C& context) const {
    for (const auto& row : rows_) row.write_(json, from, context);
  }

 private:
  std::vector<ShapeRow<T, C>> rows_;
};

// A document: a line.
template <class T, class C>
std::string json_of(const Shape<T, C>& shape, const T& from, const C& context) {
  std::string out;
  JsonWriter json(out);
  shape.write(json, from, context);
  return out + "\n";
}

}  // namespace tailcap::report
