// Shapes: one list makes the JSON of a structure and its schema.
#include "analyze/report/json/shape.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace tailcap::report {
namespace {

struct ShapeClock {
  bool is_known = true;
  bool known() const { return is_known; }
  std::int64_t realtime(formats::Time t) const { return formats::nanoseconds(t) + 1000; }
};
struct ShapeContext {
  ShapeClock clock;
};

struct Inner {
  std::uint64_t count = 1;
};
struct Outer {
  bool flag = true;
  std::uint32_t natural = 7;
  std::int64_t whole = -7;
  double real = 0.5;
  std::string text = "a \"b\"";
  formats::Duration length{5};
  formats::Time at{formats::Duration{9}};
  model::ExchangeId id{12, 3};
  model::Role role = model::Role::client;
  std::optional<double> maybe;
  std::pair<std::string, std::string> pair{"x", "y"};
  std::vector<Inner> list{{1}, {2}};
  Inner inner;
};

const Shape<Inner, Anywhere> kInner{"inner", {{"count", &Inner::count, "how many", {.least = 1}}}};
const Shape<Outer, ShapeContext> kOuter{
    "outer",
    {
        {"flag", &Outer::flag},
        {"natural", or_null(&Outer::natural)},
        {"whole", &Outer::whole},
        {"real", &Outer::real},
        {"text", or_null(&Outer::text), "in words", {.pattern = "^a"}},
        {"length_ns", &Outer::length},
        {"at_ns", &Outer::at},
        {"id", or_null(&Outer::id)},
        {"role", one_of<model::Role::client>(&Outer::role)},
        {"maybe", &Outer::maybe},
        {"pair", &Outer::pair},
        {"map",
         [](auto& o) {
           return Map<std::array<std::pair<const char*, bool>, 1>>{{{{"key", o.flag}}}};
         }},
        {"list", kInner, &Outer::list, "", {.most_items = 2}},
        {"inner", kInner, [](auto& o) { return where(o.flag, o.inner); }},
        {kInner, [](auto& o) { return where(o.flag, o.inner); }},
        {"end", [](auto&, auto& c) { return c.clock.known(); }},
    }};

TEST(Shape, WritesMembersInOrder) {
  EXPECT_EQ(
      json_of(kOuter, Outer{}, ShapeContext{}),
      "{\"flag\":true,\"natural\":7,\"whole\":-7,\"real\":0.5,\"text\":\"a \\\"b\\\"\",\"length_ns\":5,\"at_ns\":1009,"
      "\"id\":\"12.3\",\"role\":\"client\",\"maybe\":null,\"pair\":[\"x\",\"y\"],\"map\":{\"key\":true},"
      "\"list\":[{\"count\":1},{\"count\":2}],\"inner\":{\"count\":1},\"count\":1,\"end\":true}\n");
}

TEST(Shape, UnknownIsNull) {
  Outer none;
  none.flag = false;
  none.natural = 0;
  none.real = std::numeric_limits<double>::infinity();
  none.text.clear();
  none.id = {};
  none.list.clear();
  // A member that is not there as a whole is left out.
  EXPECT_EQ(
      json_of(kOuter, none, ShapeContext{{false}}),
      "{\"flag\":false,\"natural\":null,\"whole\":-7,\"real\":null,\"text\":null,\"length_ns\":5,\"at_ns\":null,\"id\":"
      "null,"
      "\"role\":\"client\",\"maybe\":null,\"pair\":[\"x\",\"y\"],\"map\":{\"key\":false},\"list\":[],\"inner\":null,"
      "\"end\":false}\n");
}

TEST(Shape, SchemaSaysWhatIsWritten) {
  EXPECT_EQ(
      json_schema(kOuter, "title", "about"),
      "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"title\",\"description\":\"about\","
      "\"type\":\"object\",\"required\":[\"flag\",\"natural\",\"whole\",\"real\",\"text\",\"length_ns\",\"at_ns\","
      "\"id\",\"role\","
      "\"maybe\",\"pair\",\"map\",\"list\",\"inner\",\"end\"],\"additionalProperties\":false,\"properties\":{"
      "\"flag\":{\"type\":\"boolean\"},\"natural\":{\"type\":[\"integer\",\"null\"],\"minimum\":1},"
      "\"whole\":{\"type\":\"integer\"},\"real\":{\"type\":\"number\"},"
      "\"text\":{\"description\":\"in words\",\"type\":[\"string\",\"null\"],\"pattern\":\"^a\",\"minLength\":1},"
      "\"length_ns\":{\"type\":\"integer\",\"minimum\":0},\"at_ns\":{\"type\":[\"integer\",\"null\"]},"
      "\"id\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^[0-9]+\\\\.[0-9]+$\",\"minLength\":1},"
      "\"role\":{\"enum\":[\"server\",\"client\"]},\"maybe\":{\"type\":[\"number\",\"null\"]},"
      "\"pair\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":2,\"items\":{\"type\":\"string\"}},"
      "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"boolean\"}},"
      "\"list\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"$ref\":\"#/$defs/inner\"}},"
      "\"inner\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/inner\"}]},"
      "\"count\":{\"description\":\"how many\",\"type\":\"integer\",\"minimum\":1},\"end\":{\"type\":\"boolean\"}},"
      "\"$defs\":{\"inner\":{\"type\":\"object\",\"required\":[\"count\"],\"additionalProperties\":false,"
      "\"properties\":{"
      "\"count\":{\"description\":\"how many\",\"type\":\"integer\",\"minimum\":1}}}}}\n");
}

}  // namespace
}  // namespace tailcap::report
