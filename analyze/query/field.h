// The facts of a request by name: what a filter can ask about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analyze/model/request.h"

namespace tailcap::query {

enum class Unit : std::uint8_t { none, nanoseconds, bytes };

// Unknown is monostate. Texts are views into the row's table or the given buffer.
using Value = std::variant<std::monostate, std::int64_t, bool, std::string_view>;

struct Field {
  enum class Type : std::uint8_t { number, boolean, text, list };
  std::string_view name;
  Type type = Type::text;
  Unit unit = Unit::none;
  // buffer: room for texts that are made up, like ids.
  Value (*get)(const model::Request& row, const model::TextPool& texts, std::string& buffer) = nullptr;
  // Of a text that is one of a few: those, in order. Empty: it may be any.
  std::vector<std::string_view> (*values)() = nullptr;
};

// nullptr: there is none of that name. Fields "labels.NAME" are the time in ns under a label; unknown where the request
// has no account (Request::account).
const Field* find_field(std::string_view name);
// Whether the field is unknown for every request unless Request::account is set.
bool needs_account(const Field& field);
// All names, for messages: "status, method, …".
std::string field_names();
// ": did you mean 'duration'?"; empty where no name is near.
std::string suggested_field(std::string_view name);

}  // namespace tailcap::query
