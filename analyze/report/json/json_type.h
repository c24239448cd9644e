// What a JSON schema says of a value. shape.h makes it of C++ types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::report {

// What the type alone does not say. For a list, all but the last four are about its items.
struct JsonBounds {
  std::optional<std::int64_t> is = {};  // always this number
  std::optional<std::int64_t> least = {}, most = {};
  std::string_view pattern = {};
  std::vector<std::string_view> values = {};  // one of these
  std::size_t least_length = 0;
  std::size_t least_items = 0, most_items = 0;
  bool unique = false;
  bool known = false;  // never null, although its type can be
};

struct Description;

struct JsonType {
  enum class Kind : std::uint8_t { boolean, integer, number, text, object, list, map };
  Kind kind = Kind::text;
  bool or_null = false;
  JsonBounds bounds = {};
  const Description* object = nullptr;
  std::shared_ptr<JsonType> each = {};  // of a list or a map
};

// An object: its name, and its members in order.
struct Description {
  struct Member {
    std::string_view name, says;
    JsonType type;
    bool required = true;
  };
  std::string_view name;
  std::vector<Member> members;
};

// Bounds of the type stay where `bounds` says nothing.
Description::Member described(std::string_view name, std::string_view says, JsonType type, JsonBounds bounds);

// The JSON schema (draft 2020-12) of a document. An object that occurs more than once is a definition. open: other
// names may be added.
std::string json_schema(const Description& document, std::string_view title, std::string_view says, bool open = false);
// The schema of a command whose options choose between several documents.
std::string json_schema_of_any(std::span<const Description* const> documents, std::string_view title,
                               std::string_view says, bool open = false);

}  // namespace tailcap::report
