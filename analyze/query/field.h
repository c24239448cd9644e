// The columns of a request as filters name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analyze/model/columns/column.h"

namespace tailcap::query {

struct Field {
  std::string_view name;  // as it was asked for: a short form wants a unit where a name that ends with _ns does not
  const model::columns::RequestColumn* column = nullptr;
};

// By name, short form or old name. Nothing: there is none of that name. Fields "labels.NAME" are the time in ns under a
// label; unknown where the request has no account (Request::account).
std::optional<Field> find_field(std::string_view name);
// All names, for messages: "status, method, …".
std::string field_names();
// ": did you mean 'duration'?"; empty where no name is near.
std::string suggested_field(std::string_view name);

}  // namespace tailcap::query
